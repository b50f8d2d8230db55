/// What is wrong at a range of some source, before it is tied to a file.
public struct Problem: Error, Hashable, Sendable {
  /// Whether the text can be used all the same.
  public enum Severity: String, Hashable, Sendable { case error, warning }

  /// A stable kebab-case name of the kind of problem.
  public var code: String
  /// Where it is.
  public var range: SourceRange
  /// What is wrong, in one sentence.
  public var message: String
  /// What to do about it.
  public var hint: String?
  /// Whether the text can be used all the same.
  public var severity: Severity

  /// A problem at a range.
  public init(
    _ code: String, at range: SourceRange, _ message: String, hint: String? = nil,
    severity: Severity = .error
  ) {
    self.code = code
    self.range = range
    self.message = message
    self.hint = hint
    self.severity = severity
  }
}

/// A problem with its file, line and column, ready to print.
public struct Diagnostic: Error, Hashable, Sendable {
  /// The problem itself; its range counts bytes of the file.
  public var problem: Problem
  /// The file.
  public var path: String
  /// Where the problem begins.
  public var position: SourcePosition
  /// The source line, cut around the problem when it is long.
  public var excerpt: String
  /// The spaces and carets that stand below the excerpt.
  public var carets: String

  /// Whether the text cannot be used.
  public var isError: Bool { problem.severity == .error }

  /// Whether a stated limit of the language was passed, rather than its grammar broken.
  public var isLimit: Bool { Limits.codes.contains(problem.code) }

  /// A problem tied to its source.
  public init(_ problem: Problem, in source: SourceFile) {
    self.problem = problem
    path = source.path
    position = source.position(of: problem.range.start)
    (excerpt, carets) = Self.excerpt(of: problem.range, in: source)
  }

  /// `path:line:column: error: message`, as compilers print it.
  public var headline: String {
    "\(Self.printable(path)):\(position.line):\(position.column): "
      + "\(problem.severity.rawValue): \(problem.message)"
  }

  /// The headline, the source line with carets, and the hint.
  public var text: String {
    let number = String(position.line)
    let margin = String(repeating: " ", count: number.count)
    var lines = [headline, " \(number) | \(excerpt)", " \(margin) | \(carets)"]
    if let hint = problem.hint { lines.append(" \(margin) = hint: \(hint)") }
    return lines.joined(separator: "\n")
  }

  private static let excerptLimit = 160
  private static let contextBefore = 60

  private static func excerpt(
    of range: SourceRange, in source: SourceFile
  ) -> (line: String, carets: String) {
    let line = source.lineRange(holding: range.start)
    let scalars = Array(source.text(line).unicodeScalars)
    let column = min(source.position(of: range.start).column - 1, scalars.count)
    let last = min(max(range.end, range.start + 1), max(line.end, range.start + 1))
    let length = max(1, source.position(of: last).column - 1 - column)
    let first = scalars.count > excerptLimit ? max(0, column - contextBefore) : 0
    let shown = scalars[first..<min(scalars.count, first + excerptLimit)]
    let cut = (first > 0 ? "…" : "", first + shown.count < scalars.count ? "…" : "")
    let lead =
      String(repeating: " ", count: cut.0.count)
      + String(
        String.UnicodeScalarView(
          scalars[first..<max(first, column)].map { $0 == "\t" ? "\t" : " " }))
    let width = max(1, min(length, shown.count - (column - first)))
    let text = String(String.UnicodeScalarView(shown))
    return (
      cut.0 + printable(text) + cut.1,
      lead + "^" + String(repeating: "~", count: width - 1)
    )
  }

  /// Text in which control and direction-changing characters cannot reach a terminal.
  static func printable(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      result.append(scalar == "\t" || !CharacterRules.isForbidden(scalar) ? scalar : "\u{FFFD}")
    }
    return String(result)
  }
}

/// A schedule that cannot be used, with everything found wrong with it.
public struct ScheduleError: Error, Hashable, Sendable {
  /// The diagnostics, in the order of the text; at least one is an error.
  public var diagnostics: [Diagnostic]

  /// The stable name of the first error.
  public var code: String { first?.problem.code ?? "schedule" }
  /// The first error's sentence.
  public var message: String { first?.problem.message ?? "the schedule cannot be used" }
  /// The first error's hint.
  public var hint: String? { first?.problem.hint }
  /// All diagnostics with source lines and carets.
  public var text: String { diagnostics.map(\.text).joined(separator: "\n") }

  private var first: Diagnostic? { diagnostics.first { $0.isError } ?? diagnostics.first }

  /// An error made of diagnostics.
  public init(_ diagnostics: [Diagnostic]) {
    self.diagnostics = diagnostics
  }
}
