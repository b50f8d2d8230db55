/// The words with a meaning of their own wherever a site may stand.
enum ReservedWords {
  static let stack = "stack"
  static let blocks = "blocks"
  static let any = "any"
  static let output = "output"
  static let uncond = "uncond"
  static let items = ["schedule", "adapter", "rule", "import"]
}

/// Reads tokens as schedules and adapters by recursive descent.
///
/// A statement that cannot be read is reported once and skipped, so that one pass finds all of
/// them.
struct Parser {
  /// Thrown when a statement cannot be read any further; the problem is recorded already.
  struct Abandoned: Error {}

  let vocabulary: Vocabulary
  var tree: SyntaxTree
  var problems: [Problem]
  var expressionDepth = 0
  private(set) var index = 0

  /// Parses a file.
  static func parse(
    _ source: SourceFile, with vocabulary: Vocabulary
  ) -> (tree: SyntaxTree, problems: [Problem]) {
    var parser = Parser(source, vocabulary)
    parser.file()
    return (parser.tree, parser.problems)
  }

  private init(_ source: SourceFile, _ vocabulary: Vocabulary) {
    self.vocabulary = vocabulary
    let (tokens, problems) = Lexer.tokens(of: source)
    self.problems = problems
    tree = SyntaxTree(
      source: source, tokens: tokens, items: [], statementStarts: [], tightTokens: [])
  }

  // MARK: - Tokens

  var current: Token { tree.tokens[index] }

  var next: Token { tree.tokens[min(index + 1, tree.tokens.count - 1)] }

  /// Moves behind the current token and returns it; never moves past the end.
  @discardableResult mutating func advance(tight: Bool = false) -> Token {
    if tight { tree.tightTokens.insert(index) }
    let token = current
    if index < tree.tokens.count - 1 { index += 1 }
    return token
  }

  mutating func accept(_ mark: Token.Mark, tight: Bool = false) -> Bool {
    guard current.isMark(mark) else { return false }
    advance(tight: tight)
    return true
  }

  mutating func expect(
    _ mark: Token.Mark, _ place: String, tight: Bool = false
  ) throws(Abandoned) {
    guard accept(mark, tight: tight) else {
      throw unexpected("'\(mark.rawValue)' \(place)", atLineEnd: true)
    }
  }

  mutating func expectWord(_ word: String, _ place: String) throws(Abandoned) {
    guard current.word == word else {
      throw unexpected(
        "'\(word)' \(place)",
        hint: current.word.flatMap { Suggestion.hint(for: $0, among: [word]) })
    }
    advance()
  }

  /// A name of the user's choice: a word, or where the model's names may come in, quoted text.
  mutating func name(
    _ what: String, allowingQuotes: Bool = false
  ) throws(Abandoned) -> NameSyntax {
    switch current.kind {
    case .word(let text):
      return NameSyntax(text: text, range: advance().range)
    case .string(let text) where allowingQuotes:
      return NameSyntax(text: text, range: advance().range)
    default: throw unexpected(what)
    }
  }

  /// Records that something else stands where `what` should.
  ///
  /// Where the line ends before it, a missing mark is reported there rather than at the next line.
  mutating func unexpected(
    _ what: String, hint: String? = nil, atLineEnd: Bool = false
  ) -> Abandoned {
    if atLineEnd, index > 0, current.isFirstOnLine || current.kind == .end {
      let end = tree.tokens[index - 1].range.end
      problems.append(
        Problem(
          "unexpected-text", at: SourceRange(start: end, end: end),
          "expected \(what), but the line ends", hint: hint))
      return Abandoned()
    }
    let found: String
    switch current.kind {
    case .invalid: return Abandoned()
    case .end: found = "the file ends"
    default: found = "found '\(tree.source.text(current.range))'"
    }
    problems.append(
      Problem("unexpected-text", at: current.range, "expected \(what), but \(found)", hint: hint))
    return Abandoned()
  }

  func range(from start: Int) -> SourceRange {
    SourceRange(
      start: tree.tokens[start].range.start, end: tree.tokens[max(start, index - 1)].range.end)
  }

  /// The tokens from `start` up to the current one as one line of canonical text.
  func text(from start: Int) -> String {
    Formatter.line(of: start..<max(start + 1, index), in: tree)
  }

  // MARK: - Items

  private mutating func file() {
    while current.kind != .end {
      let start = index
      tree.statementStarts.insert(start)
      do throws(Abandoned) {
        tree.items.append(try item())
      } catch {
        skipItem(from: start)
      }
    }
  }

  private mutating func item() throws(Abandoned) -> ItemSyntax {
    switch current.word {
    case "schedule": return .schedule(try schedule())
    case "adapter": return .adapter(try adapter())
    case "rule": return .rule(try rule())
    case "import":
      advance()
      guard case .string(let path) = current.kind else {
        throw unexpected("the path of a file in quotes after 'import'")
      }
      return .imports(ImportSyntax(path: NameSyntax(text: path, range: advance().range)))
    default:
      throw unexpected(
        "'schedule', 'rule' or 'adapter'",
        hint: current.word.flatMap { Suggestion.hint(for: $0, among: ReservedWords.items) })
    }
  }

  private mutating func schedule() throws(Abandoned) -> ScheduleSyntax {
    advance()
    let name = try name("a name for the schedule")
    try expectWord("for", "and an adapter's name, or 'for any'")
    let target = try self.name("an adapter's name or 'any'")
    var statements: [ScheduleStatement] = []
    let isComplete = try body("of schedule '\(name.text)'") { (parser) throws(Abandoned) in
      switch parser.current.word {
      case "let": try parser.binding(into: &statements)
      case "cache": statements.append(.cache(try parser.cache()))
      case "parameter":
        parser.advance()
        statements.append(.parameter(try parser.ruleParameter()))
      case "preset": statements.append(.preset(try parser.preset()))
      default:
        statements.append(
          .clause(
            try parser.clause(
              FixedClauses.schedule, in: "a schedule",
              beside: ["let", "cache", "parameter", "preset"])))
      }
    }
    return ScheduleSyntax(
      name: name, target: target, statements: statements, isComplete: isComplete)
  }

  private mutating func adapter() throws(Abandoned) -> AdapterSyntax {
    advance()
    let name = try name("a name for the adapter")
    var clauses: [Clause] = []
    let isComplete = try body("of adapter '\(name.text)'") { (parser) throws(Abandoned) in
      clauses.append(try parser.clause(FixedClauses.adapter, in: "an adapter"))
    }
    return AdapterSyntax(name: name, clauses: clauses, isComplete: isComplete)
  }

  /// A `let` statement; its name is known even if its site cannot be read.
  private mutating func binding(into statements: inout [ScheduleStatement]) throws(Abandoned) {
    advance()
    let name = try name("a name for the blocks")
    do throws(Abandoned) {
      try expect(.equals, "after 'let \(name.text)'")
      let value: BindingSyntax.Value = isSite ? .site(try site()) : .expression(try expression())
      statements.append(.binding(BindingSyntax(name: name, value: value)))
    } catch {
      statements.append(.binding(BindingSyntax(name: name, value: nil)))
      throw error
    }
  }

  /// Whether the value of a `let` is a site: a name by itself, or one that only sites go on with.
  private var isSite: Bool {
    switch current.kind {
    case .string: true
    case .word(let word):
      Site.Part(rawValue: word) != nil || next.isFirstOnLine || next.isMark(.openBracket)
        || next.isMark(.plus) || next.isMark(.closeBrace) || next.kind == .end
    default: false
    }
  }

  private mutating func cache() throws(Abandoned) -> CacheSyntax {
    let keywordRange = advance().range
    let site = try site()
    var name: NameSyntax?
    if current.word == "as" {
      advance()
      name = try self.name("a name for the rule")
    }
    var statements: [RuleStatement] = []
    let descriptors = vocabulary.clauses
    let isComplete = try body("of the cache rule") { (parser) throws(Abandoned) in
      statements.append(try parser.ruleStatement(descriptors, in: "a cache rule"))
    }
    return CacheSyntax(
      keywordRange: keywordRange, site: site, name: name, body: statements,
      isComplete: isComplete)
  }

  /// A body in braces; statements that cannot be read are skipped, and the result says whether
  /// there were none.
  mutating func body(
    _ owner: String, statement: (inout Parser) throws(Abandoned) -> Void
  ) throws(Abandoned) -> Bool {
    var isComplete = true
    let opening = current.range
    try expect(.openBrace, "to begin the body \(owner)")
    while !accept(.closeBrace) {
      let isNextItem =
        current.isFirstOnLine && current.word.map(ReservedWords.items.contains) == true
      if current.kind == .end || isNextItem {
        problems.append(
          Problem("unclosed-body", at: opening, "the '{' of the body \(owner) is never closed"))
        return false
      }
      let start = index
      tree.statementStarts.insert(start)
      do throws(Abandoned) {
        try statement(&self)
      } catch {
        isComplete = false
        skipStatement(from: start)
      }
    }
    return isComplete
  }

  // MARK: - Recovery

  private mutating func skipItem(from start: Int) {
    if index == start { advance() }
    while current.kind != .end {
      if current.isFirstOnLine, let word = current.word, ReservedWords.items.contains(word) {
        return
      }
      advance()
    }
  }

  /// Skips to the next line that can begin a statement, or to the end of the body.
  private mutating func skipStatement(from start: Int) {
    var braces = 0
    var brackets = 0
    for passed in start..<index { count(tree.tokens[passed], &braces, &brackets) }
    if index == start {
      count(current, &braces, &brackets)
      if current.isMark(.closeBrace) { return }
      advance()
    }
    while current.kind != .end {
      if braces <= 0 {
        if current.isMark(.closeBrace) { return }
        if current.isFirstOnLine, brackets <= 0 || current.word != nil { return }
      }
      count(current, &braces, &brackets)
      advance()
    }
  }

  private func count(_ token: Token, _ braces: inout Int, _ brackets: inout Int) {
    switch token.kind {
    case .mark(.openBrace): braces += 1
    case .mark(.closeBrace): braces -= 1
    case .mark(.openBracket), .mark(.openParenthesis): brackets += 1
    case .mark(.closeBracket), .mark(.closeParenthesis): brackets -= 1
    default: break
    }
  }
}
