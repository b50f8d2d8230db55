public import CachePolicies
import Catalogue
import Foundation
public import ScheduleLanguage
import Tensors

/// Finds schedules and adapters: in files, and in the catalogue that ships with the tool.
public enum ScheduleLibrary {
  /// The checked document of a path, or of a name from the catalogue.
  ///
  /// An existing file wins over a catalogue entry of the same name.
  public static func document(
    _ pathOrName: String, with vocabulary: Vocabulary = .standard
  ) throws -> ScheduleDocument {
    let source = try source(pathOrName)
    return try ScheduleDocument.reading(source, with: vocabulary) { path in
      try imported(path, from: source.path)
    }
  }

  /// The text of a file that another one imports.
  ///
  /// The path is looked up beneath the folder of the importing file, which it cannot leave, links
  /// included; then among the rules of the catalogue.
  static func imported(_ path: String, from importer: String) throws -> SourceFile {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    let range = SourceRange(start: 0, end: 0)
    guard !parts.contains(".."), !parts.contains(""), !parts.contains(".") else {
      throw Problem(
        "import-outside", at: range, "'\(path)' is not a path beneath the folder of this file")
    }
    let folder = URL(filePath: importer).deletingLastPathComponent().resolvingSymlinksInPath()
    let file = folder.appending(path: path).resolvingSymlinksInPath()
    let own = file.path(percentEncoded: false)
    if FileManager.default.fileExists(atPath: own) {
      guard file.pathComponents.starts(with: folder.pathComponents) else {
        throw Problem(
          "import-outside", at: range, "'\(path)' is a link that leaves the folder of this file")
      }
      return try source(own)
    }
    guard let entry = Catalogue.rules.first(where: { $0.fileName == path }) else {
      throw Problem(
        "missing-import", at: range, "there is no file '\(path)' beside this one",
        hint: "the catalogue has \(Catalogue.rules.map(\.fileName).joined(separator: ", "))")
    }
    return SourceFile(path: entry.fileName, text: entry.text)
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
    let entries = Catalogue.schedules + Catalogue.adapters + Catalogue.rules
    guard let entry = entries.first(where: { $0.name == pathOrName }) else {
      let names = Catalogue.schedules.map(\.name).sorted().joined(separator: ", ")
      throw UsageError(
        "missing-schedule", at: pathOrName, "there is no such file and no such catalogue entry",
        hint: "the catalogue has \(names)", category: .inputOutput)
    }
    return SourceFile(path: entry.fileName, text: entry.text)
  }

  /// The one schedule of a path or catalogue name, with the values of a preset.
  public static func schedule(
    _ pathOrName: String, preset: String? = nil, with vocabulary: Vocabulary = .standard
  ) throws -> Schedule {
    let document = try document(pathOrName, with: vocabulary)
    guard let schedule = document.schedules.first, document.schedules.count == 1 else {
      throw UsageError(
        "not-one-schedule", at: pathOrName,
        "the file holds \(document.schedules.count) schedules, one is needed",
        category: .badSchedule)
    }
    return try preset.map { try schedule.applying(preset: $0) } ?? schedule
  }

  /// A chosen adapter and all that are known.
  ///
  /// - Parameter choice: a name, a file that holds one adapter, or nil
  /// - Returns: the name, nil without a choice, and the adapters of the catalogue and the file
  /// - Throws: `ScheduleError` for a wrong file, `UsageError` for one without exactly one adapter
  public static func adapters(
    choosing choice: String?
  ) throws -> (name: String?, known: [AdapterDescription]) {
    guard let choice, FileManager.default.fileExists(atPath: choice) else {
      return (choice, try adapters())
    }
    let own = try document(choice).adapters
    guard let adapter = own.first, own.count == 1 else {
      throw UsageError(
        "not-one-adapter", at: choice, "the file holds \(own.count) adapters, one is needed",
        category: .badSchedule)
    }
    return (adapter.name, own + (try adapters()).filter { $0.name != adapter.name })
  }

  /// The adapter file of a model, `X.adapter.dcs` beside `X.onnx`; nil when there is none.
  public static func adapterFile(beside model: String) -> String? {
    let path = ModelFiles.path(of: "adapter.dcs", beside: model)
    return FileManager.default.fileExists(atPath: path) ? path : nil
  }

  /// The adapters of the catalogue.
  public static func adapters() throws -> [AdapterDescription] {
    var result: [AdapterDescription] = []
    for entry in Catalogue.adapters {
      let source = SourceFile(path: entry.fileName, text: entry.text)
      result += try ScheduleDocument.reading(source, with: .standard).adapters
    }
    return result
  }

  /// Name and summary of everything in the catalogue; a schedule's presets follow its summary.
  public static var catalogue: [(kind: String, name: String, summary: String)] {
    Catalogue.schedules.map { ("schedule", $0.name, $0.summary + presets(of: $0)) }
      + Catalogue.rules.map { ("rule", $0.name, $0.summary) }
      + Catalogue.adapters.map { ("adapter", $0.name, $0.summary) }
  }

  private static func presets(of entry: CatalogueEntry) -> String {
    let presets = (try? document(entry.name))?.schedules.flatMap(\.presets) ?? []
    return presets.isEmpty ? "" : " Presets: \(presets.map(\.name).joined(separator: ", "))."
  }
}
