import CachePolicies
import Foundation
import ScheduleLanguage

/// Checks, formats and bundles schedule files, for the build and for editors.
///
/// Diagnostics go to standard error as `path:line:column: error: message`, so that a build stops at
/// the line.
@main struct ScheduleTool {
  /// What the tool ends with; the numbers are those of `ditcache`.
  enum Status: Int32 {
    case done = 0
    case unformatted = 1
    case badSchedule = 3
    case overLimit = 5
    case inputOrOutput = 6
    case usage = 64
  }

  static let usage = """
    usage: ditcache-schedule check FILE…
           ditcache-schedule format [--in-place | --check] FILE…
           ditcache-schedule catalogue --output OUT.swift FILE…

    """

  static func main() {
    var arguments = CommandLine.arguments.dropFirst()
    let command = arguments.popFirst()
    do {
      switch command {
      case "check": exit(try check(Array(arguments)).rawValue)
      case "format": exit(try format(Array(arguments)).rawValue)
      case "catalogue": exit(try catalogue(Array(arguments)).rawValue)
      case "help", "--help", "-h":
        print(usage, terminator: "")
        exit(Status.done.rawValue)
      default: exit(usageError("the first argument is check, format or catalogue").rawValue)
      }
    } catch {
      complain("error: \(error.message)")
      exit(Status.inputOrOutput.rawValue)
    }
  }

  // MARK: - Commands

  private static func check(_ paths: [String]) throws(FileError) -> Status {
    guard let problem = misuse(paths) else { return report(try documents(paths)) }
    return usageError(problem)
  }

  private static func format(_ arguments: [String]) throws(FileError) -> Status {
    var paths = arguments
    let option = paths.first.flatMap { ["--in-place", "--check"].contains($0) ? $0 : nil }
    if option != nil { paths.removeFirst() }
    if let problem = misuse(paths) { return usageError(problem) }
    let documents = try documents(paths)
    let status = report(documents)
    guard status == .done else { return status }
    var result = Status.done
    for document in documents {
      guard let text = document.formatted else { continue }
      let isCanonical = Array(text.utf8) == document.source.bytes
      switch option {
      case "--in-place":
        if !isCanonical { try ScheduleFiles.write(text, to: document.source.path) }
      case "--check":
        if !isCanonical {
          complain("\(document.source.path):1:1: error: the file is not in canonical form")
          result = .unformatted
        }
      default: print(text, terminator: "")
      }
    }
    return result
  }

  private static func catalogue(_ arguments: [String]) throws(FileError) -> Status {
    guard arguments.count >= 2, arguments[0] == "--output" else {
      return usageError("catalogue begins with --output OUT.swift")
    }
    let paths = Array(arguments.dropFirst(2))
    if let problem = misuse(paths) { return usageError(problem) }
    let documents = try documents(paths)
    let catalogue = CatalogueSource(documents)
    let status = report(documents, and: catalogue.diagnostics)
    guard status == .done else { return status }
    try ScheduleFiles.write(catalogue.text, to: arguments[1])
    return .done
  }

  // MARK: - Reports

  private static func documents(_ paths: [String]) throws(FileError) -> [ScheduleDocument] {
    var documents: [ScheduleDocument] = []
    for path in paths {
      documents.append(
        ScheduleDocument(checking: try ScheduleFiles.read(path), with: .standard) { name in
          try ScheduleFiles.imported(name, from: path, beside: paths)
        })
    }
    return documents
  }

  private static func report(
    _ documents: [ScheduleDocument], and others: [Diagnostic] = []
  ) -> Status {
    let diagnostics = documents.flatMap(\.diagnostics) + others
    for diagnostic in diagnostics { complain(diagnostic.text) }
    let errors = diagnostics.filter(\.isError)
    guard !errors.isEmpty else { return .done }
    return errors.contains { $0.isLimit } ? .overLimit : .badSchedule
  }

  private static func misuse(_ paths: [String]) -> String? {
    if paths.isEmpty { return "no file is named" }
    return paths.first { $0.hasPrefix("-") }.map { "'\($0)' is no option here" }
  }

  private static func usageError(_ message: String) -> Status {
    complain("error: \(message)\n\(usage)", terminator: "")
    return .usage
  }

  private static func complain(_ text: String, terminator: String = "\n") {
    FileHandle.standardError.write(Data((text + terminator).utf8))
  }
}
