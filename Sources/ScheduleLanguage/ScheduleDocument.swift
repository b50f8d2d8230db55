/// A file of schedules and adapters, parsed and checked.
public struct ScheduleDocument: Sendable {
  /// The file.
  public let source: SourceFile
  /// Its schedules, in order; those of a file with errors may be incomplete.
  public let schedules: [Schedule]
  /// Its adapters, in order.
  public let adapters: [AdapterDescription]
  /// The names of the rules that it defines and imports, sorted.
  public let rules: [String]
  /// What was found, in the order of the text, errors and warnings; at most 100 and a last one
  /// that counts the rest.
  public let diagnostics: [Diagnostic]

  package let tree: SyntaxTree

  /// The first line of the comment that the file begins with: what it is for; nil without one.
  public var summary: String? {
    guard let comment = tree.tokens.first?.comments.first else { return nil }
    let text = comment.text.drop { $0 == "#" || $0 == " " || $0 == "\t" }
    return text.isEmpty ? nil : String(text)
  }

  /// Whether the file cannot be used.
  public var hasErrors: Bool { diagnostics.contains { $0.isError } }

  /// Parses and checks a file.
  ///
  /// - Parameters:
  ///   - source: The file.
  ///   - vocabulary: The primitives that its cache rules may use.
  ///   - imported: The rules of other files, by the path that `import` gives; nil refuses imports.
  public init(
    checking source: SourceFile, with vocabulary: Vocabulary,
    importing imported: ((String) throws -> SourceFile)? = nil
  ) {
    self.source = source
    let (tree, found) = Parser.parse(source, with: vocabulary)
    self.tree = tree
    var problems = found
    var schedules: [Schedule] = []
    var adapters: [AdapterDescription] = []
    var names: [String: SourceRange] = [:]
    let library = RuleLibrary(tree, with: vocabulary, importing: imported)
    problems += library.problems
    rules = library.rules.values.map(\.name.text).sorted()
    var checker = ScheduleChecker(vocabulary, rules: library.rules, source: source)
    for item in tree.items {
      let name: NameSyntax
      switch item {
      case .schedule(let syntax):
        name = syntax.name
        schedules.append(checker.check(syntax))
      case .adapter(let syntax):
        name = syntax.name
        var adapterChecker = AdapterChecker(source: source)
        if let adapter = adapterChecker.check(syntax) { adapters.append(adapter) }
        problems += adapterChecker.problems
      case .rule(let syntax): name = syntax.name
      case .imports: continue
      }
      if let first = names.updateValue(name.range, forKey: name.text) {
        let line = source.position(of: first.start).line
        problems.append(
          Problem(
            "name-defined-twice", at: name.range,
            "'\(name.text)' is defined already, in line \(line)"))
      }
    }
    problems += checker.problems
    self.schedules = schedules
    self.adapters = adapters
    diagnostics = Self.limited(problems, in: source)
  }

  /// The schedules and adapters of a file, or everything that is wrong with it.
  public static func reading(
    _ source: SourceFile, with vocabulary: Vocabulary,
    importing imported: ((String) throws -> SourceFile)? = nil
  ) throws(ScheduleError) -> ScheduleDocument {
    let document = ScheduleDocument(checking: source, with: vocabulary, importing: imported)
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
