import Foundation
import PackagePlugin

/// Checks the `*.dcs` files of a target and compiles them into it as constants.
@main struct CheckSchedules: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    guard let target = target as? any SourceModuleTarget else { return [] }
    let files = scheduleFiles(in: target.directoryURL)
    let catalogue = context.pluginWorkDirectoryURL.appending(path: "Catalogue.swift")
    return [
      .buildCommand(
        displayName: "Checking \(files.count) schedules and adapters",
        executable: try context.tool(named: "ditcache-schedule").url,
        arguments: ["catalogue", "--output", catalogue.path(percentEncoded: false)]
          + files.map { $0.path(percentEncoded: false) },
        inputFiles: files, outputFiles: [catalogue])
    ]
  }

  /// The files beneath a folder, in the order of their paths.
  private func scheduleFiles(in folder: URL) -> [URL] {
    let found = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    return (found?.compactMap { $0 as? URL } ?? [])
      .filter { $0.pathExtension == "dcs" }
      .sorted { $0.path < $1.path }
  }
}
