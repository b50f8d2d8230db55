import CachePolicies
import Catalogue
import Foundation
public import ScheduleLanguage
import Tensors

/// Finds schedules and adapters: in files, and in the catalogue that ships with the tool.
public enum ScheduleLibrary {
  /// The checked document of a path, or of a name from the catalogue.
  ///
  /// An existing file wins over a catalogue entry of the same name.
  public static func document(_ pathOrName: String) throws -> ScheduleDocument {
    try ScheduleDocument.reading(try source(pathOrName), with: .standard)
  }

  /// The text of a path, or of a name from the catalogue.
  public static func source(_ pathOrName: String) throws -> SourceFile {
    if FileManager.default.fileExists(atPath: pathOrName) {
      guard let data = FileManager.default.contents(atPath: pathOrName) else {
        throw UsageError(
          "unreadable-schedule", at: pathOrName, "the file cannot be read", category: .inputOutput)
      }
      return SourceFile(path: pathOrName, bytes: [UInt8](data))
    }
    let entries = Catalogue.schedules + Catalogue.adapters
    guard let entry = entries.first(where: { $0.name == pathOrName }) else {
      let names = Catalogue.schedules.map(\.name).sorted().joined(separator: ", ")
      throw UsageError(
        "missing-schedule", at: pathOrName, "there is no such file and no such catalogue entry",
        hint: "the catalogue has \(names)", category: .inputOutput)
    }
    return SourceFile(path: entry.fileName, text: entry.text)
  }

  /// The one schedule of a path or catalogue name.
  public static func schedule(_ pathOrName: String) throws -> Schedule {
    let document = try document(pathOrName)
    guard let schedule = document.schedules.first, document.schedules.count == 1 else {
      throw UsageError(
        "not-one-schedule", at: pathOrName,
        "the file holds \(document.schedules.count) schedules, one is needed",
        category: .badSchedule)
    }
    return schedule
  }

  /// The adapters of the catalogue, and those of a file if one is named.
  public static func adapters(alsoFrom path: String? = nil) throws -> [AdapterDescription] {
    var result: [AdapterDescription] = []
    if let path { result += try document(path).adapters }
    for entry in Catalogue.adapters {
      let source = SourceFile(path: entry.fileName, text: entry.text)
      result += try ScheduleDocument.reading(source, with: .standard).adapters
    }
    return result
  }

  /// Name and summary of everything in the catalogue.
  public static var catalogue: [(kind: String, name: String, summary: String)] {
    Catalogue.schedules.map { ("schedule", $0.name, $0.summary) }
      + Catalogue.adapters.map { ("adapter", $0.name, $0.summary) }
  }
}
