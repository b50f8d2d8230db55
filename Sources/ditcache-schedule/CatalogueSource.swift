import ScheduleLanguage

/// The Swift source that carries checked files as constants.
struct CatalogueSource {
  /// What is wrong between the files: names defined twice, schedules for unknown adapters.
  let diagnostics: [Diagnostic]
  /// The source; the same for the same files in the same order.
  let text: String

  init(_ documents: [ScheduleDocument]) {
    diagnostics = Self.check(documents)
    let schedules = documents.filter { !$0.schedules.isEmpty }
    let adapters = documents.filter { $0.schedules.isEmpty && !$0.adapters.isEmpty }
    let rules = documents.filter {
      $0.schedules.isEmpty && $0.adapters.isEmpty && !$0.rules.isEmpty
    }
    text = """
      // Written by ditcache-schedule from the files of the catalogue.

      /// The schedules, rules and adapters that ship with the tool.
      public enum Catalogue {
        /// The files of schedules, by name.
        public static let schedules: [CatalogueEntry] = [
      \(Self.entries(schedules))  ]

        /// The files of adapters, by name.
        public static let adapters: [CatalogueEntry] = [
      \(Self.entries(adapters))  ]

        /// The files of rules that schedules import, by name.
        public static let rules: [CatalogueEntry] = [
      \(Self.entries(rules))  ]
      }

      """
  }

  private static func entries(_ documents: [ScheduleDocument]) -> String {
    documents.map { document in
      let names = document.schedules.map(\.name) + document.adapters.map(\.name)
      return (names.first ?? stem(document.source.path), document)
    }
    .sorted { $0.0 < $1.0 }
    .map { name, document in
      """
          CatalogueEntry(
            name: \(literal(name)),
            fileName: \(literal(fileName(document.source.path))),
            summary: \(literal(document.summary ?? "")),
            text: \(literal(String(decoding: document.source.bytes, as: UTF8.self)))),

      """
    }
    .joined()
  }

  private static func fileName(_ path: String) -> String {
    String(path.split(separator: "/").last ?? "")
  }

  private static func stem(_ path: String) -> String {
    String(fileName(path).prefix { $0 != "." })
  }

  private static func literal(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  private static func check(_ documents: [ScheduleDocument]) -> [Diagnostic] {
    var problems: [Diagnostic] = []
    var owners: [String: String] = [:]
    func claim(_ name: String, _ range: SourceRange, in source: SourceFile) {
      if let owner = owners.updateValue(source.path, forKey: name), owner != source.path {
        let problem = Problem(
          "name-defined-twice", at: range, "'\(name)' is defined in '\(fileName(owner))' already")
        problems.append(Diagnostic(problem, in: source))
      }
    }
    let adapters = documents.flatMap(\.adapters)
    for document in documents {
      for adapter in document.adapters {
        claim(adapter.name, adapter.nameRange, in: document.source)
      }
      for schedule in document.schedules {
        claim(schedule.name, schedule.nameRange, in: document.source)
        guard let adapter = schedule.adapter, !adapters.contains(where: { $0.name == adapter })
        else { continue }
        let problem = Problem(
          "unknown-adapter", at: schedule.adapterRange,
          "the catalogue has no adapter '\(adapter)'",
          hint: Suggestion.hint(for: adapter, among: adapters.map(\.name)))
        problems.append(Diagnostic(problem, in: document.source))
      }
    }
    return problems
  }
}
