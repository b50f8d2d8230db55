import Foundation
import PackagePlugin

/// Rewrites `*.dcs` files in their canonical form: those named, or all of the package's sources.
@main struct FormatSchedules: CommandPlugin {
  func performCommand(context: PluginContext, arguments: [String]) throws {
    var extractor = ArgumentExtractor(arguments)
    let isCheck = extractor.extractFlag(named: "check") > 0
    var files = extractor.remainingArguments
    if files.isEmpty {
      let folders = context.package.targets.compactMap { $0 as? any SourceModuleTarget }
        .filter { $0.kind != .test }
        .map(\.directoryURL)
      files = (folders + [context.package.directoryURL.appending(path: "examples")])
        .flatMap(scheduleFiles)
    }
    guard !files.isEmpty else { return }
    let tool = Process()
    tool.executableURL = try context.tool(named: "ditcache-schedule").url
    tool.arguments = ["format", isCheck ? "--check" : "--in-place"] + files
    try tool.run()
    tool.waitUntilExit()
    guard tool.terminationStatus == 0 else {
      Diagnostics.error("ditcache-schedule ended with status \(tool.terminationStatus)")
      return
    }
  }

  /// The paths of the files beneath a folder, in order.
  private func scheduleFiles(in folder: URL) -> [String] {
    let found = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    return (found?.compactMap { $0 as? URL } ?? [])
      .filter { $0.pathExtension == "dcs" }
      .map { $0.path(percentEncoded: false) }
      .sorted()
  }
}
