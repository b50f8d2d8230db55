/// A file of schedules and adapters, parsed and checked.
public struct ScheduleDocument: Sendable {
  /// The file.
  public let source: SourceFile
  /// Its schedules, in order; those of a file with errors may be incomplete.
  public let schedules: [Schedule]
  /// Its adapters, in order.
  public let adapters: [AdapterDescription]
  /// What was found, in the order of the text, errors and warnings; at most 100 and a last one
  /// that counts the rest.
  public let diagnostics: [Diagnostic]

  package let tree: SyntaxTree

  /// Whether the file cannot be used.
  public var hasErrors: Bool { diagnostics.contains { $0.isError } }

  /// Parses and checks a file.
  ///
  /// - Parameters:
  ///   - source: The file.
  ///   - vocabulary: The primitives that its cache rules may use.
  public init(checking source: SourceFile, with vocabulary: Vocabulary) {
    self.source = source
    let (tree, found) = Parser.parse(source, with: vocabulary)
    self.tree = tree
    var problems = found
    var schedules: [Schedule] = []
    var adapters: [AdapterDescription] = []
    var names: [String: SourceRange] = [:]
    for item in tree.items {
      let name: NameSyntax
      switch item {
      case .schedule(let syntax):
        name = syntax.name
        var checker = ScheduleChecker(vocabulary, source: source)
        schedules.append(checker.check(syntax))
        problems += checker.problems
      case .adapter(let syntax):
        name = syntax.name
        var checker = AdapterChecker(source: source)
        if let adapter = checker.check(syntax) { adapters.append(adapter) }
        problems += checker.problems
      }
      if let first = names.updateValue(name.range, forKey: name.text) {
        let line = source.position(of: first.start).line
        problems.append(
          Problem(
            "name-defined-twice", at: name.range,
            "'\(name.text)' is defined already, in line \(line)"))
      }
    }
    self.schedules = schedules
    self.adapters = adapters
    diagnostics = Self.limited(problems, in: source)
  }

  /// The schedules and adapters of a file, or everything that is wrong with it.
  public static func reading(
    _ source: SourceFile, with vocabulary: Vocabulary
  ) throws(ScheduleError) -> ScheduleDocument {
    let document = ScheduleDocument(checking: source, with: vocabulary)
    guard !document.hasErrors else { throw ScheduleError(document.diagnostics) }
    return document
  }

  /// The file in canonical form; nil if it has errors.
  public var formatted: String? {
    hasErrors ? nil : Formatter.format(tree)
  }

  private static func limited(_ problems: [Problem], in source: SourceFile) -> [Diagnostic] {
    let sorted = problems.enumerated().sorted {
      ($0.element.range.start, $0.offset) < ($1.element.range.start, $1.offset)
    }
    .map(\.element)
    guard sorted.count > Limits.diagnosticCount else {
      return sorted.map { Diagnostic($0, in: source) }
    }
    let rest = sorted[Limits.diagnosticCount...]
    let severity = rest.contains { $0.severity == .error } ? Problem.Severity.error : .warning
    let last = Problem(
      "too-many-problems", at: rest[Limits.diagnosticCount].range,
      "the file has \(rest.count) more problems", severity: severity)
    return (sorted[..<Limits.diagnosticCount] + [last]).map { Diagnostic($0, in: source) }
  }
}
