extension Parser {
  /// An expression; `or` binds loosest.
  mutating func expression() throws(Abandoned) -> ExpressionSyntax {
    try deeper { (parser) throws(Abandoned) in
      guard parser.current.word == "if" else { return try parser.binary(above: 1) }
      let start = parser.index
      parser.advance()
      let condition = try parser.expression()
      try parser.expectWord("then", "after the condition of 'if'")
      let then = try parser.expression()
      try parser.expectWord("else", "and what holds otherwise")
      let other = try parser.expression()
      return .conditional(condition, then, other, parser.range(from: start))
    }
  }

  /// Operators of a precedence or higher: climbing, so that a long sum is no deep recursion.
  private mutating func binary(above precedence: Int) throws(Abandoned) -> ExpressionSyntax {
    var left = try unary()
    var count = 0
    while true {
      count += 1
      guard count <= Limits.operatorCount else {
        problems.append(
          Problem(
            "expression-too-large", at: current.range,
            "the expression has more than \(Limits.operatorCount) operators",
            hint: "give parts of it names with 'let'"))
        throw Abandoned()
      }
      if current.word == "in", precedence <= 3 {
        advance()
        left = .member(left, try listOrName())
        continue
      }
      guard let operation = currentOperator, operation.precedence >= precedence else { return left }
      if operation.isComparison, case .binary(let first, _, _) = left, first.isComparison {
        problems.append(
          Problem(
            "chained-comparison", at: current.range,
            "comparisons do not chain", hint: "write 'a < b and b < c'"))
        throw Abandoned()
      }
      advance()
      left = .binary(operation, left, try binary(above: operation.precedence + 1))
    }
  }

  private var currentOperator: Expression.BinaryOperator? {
    switch current.kind {
    case .word(let word) where ["or", "and", "mod"].contains(word):
      Expression.BinaryOperator(rawValue: word)
    case .mark(let mark):
      switch mark {
      case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .plus, .minus,
        .star, .slash:
        Expression.BinaryOperator(rawValue: mark.rawValue)
      default: nil
      }
    default: nil
    }
  }

  private mutating func unary() throws(Abandoned) -> ExpressionSyntax {
    let start = index
    if current.word == "not" {
      advance()
      let operand = try deeper { (parser) throws(Abandoned) in try parser.binary(above: 3) }
      return .unary(.not, operand, range(from: start))
    }
    if accept(.minus) {
      tree.tightTokens.insert(index)
      let operand = try deeper { (parser) throws(Abandoned) in try parser.unary() }
      switch operand {
      case .literal(.integer(let value), _): return .literal(.integer(-value), range(from: start))
      case .literal(.number(let value), _): return .literal(.number(-value), range(from: start))
      default: return .unary(.minus, operand, range(from: start))
      }
    }
    return try primary()
  }

  private mutating func primary() throws(Abandoned) -> ExpressionSyntax {
    let start = index
    switch current.kind {
    case .integer(let value):
      advance()
      return .literal(.integer(value), range(from: start))
    case .number(let value):
      advance()
      return .literal(.number(value), range(from: start))
    case .mark(.openBracket): return try list()
    case .mark(.openParenthesis):
      advance()
      let inner = try expression()
      try expect(.closeParenthesis, "after the expression")
      return inner
    case .word("true"), .word("false"):
      let value = advance().kind == .word("true")
      return .literal(.boolean(value), range(from: start))
    case .word(let word):
      if Site.Part(rawValue: word) != nil || isBlockTerm { return .site(try site(inside: true)) }
      let name = NameSyntax(text: word, range: advance().range)
      if accept(.openParenthesis, tight: true) {
        let isPlace = Tap.Place(rawValue: word) != nil
        return .call(name, try arguments(areSites: isPlace), range(from: start))
      }
      if accept(.openBracket, tight: true) {
        let place = try expression()
        try expect(.closeBracket, "after the index")
        return .element(name, place, range(from: start))
      }
      return .name(name)
    default: throw unexpected("a value")
    }
  }

  /// Whether the current word begins `blocks[…]`.
  private var isBlockTerm: Bool {
    current.word == ReservedWords.blocks && next.isMark(.openBracket)
  }

  /// The arguments of a call whose parenthesis is open.
  mutating func arguments(areSites: Bool = false) throws(Abandoned) -> [CallArgumentSyntax] {
    var result: [CallArgumentSyntax] = []
    if accept(.closeParenthesis) { return result }
    repeat {
      if areSites {
        result.append(CallArgumentSyntax(label: nil, value: .site(try site(inside: true))))
        guard next.word == "stream", current.isMark(.comma) else { continue }
        advance()
        let label = NameSyntax(text: "stream", range: advance().range)
        try expect(.colon, "after 'stream'")
        result.append(CallArgumentSyntax(label: label, value: try expression()))
        continue
      }
      var label: NameSyntax?
      if case .word(let word) = current.kind, next.isMark(.colon) {
        label = NameSyntax(text: word, range: advance().range)
        advance()
      }
      result.append(CallArgumentSyntax(label: label, value: try expression()))
    } while accept(.comma)
    try expect(.closeParenthesis, "or ',' after an argument")
    return result
  }

  /// A list in brackets or the name of one.
  private mutating func listOrName() throws(Abandoned) -> ExpressionSyntax {
    guard case .word(let word) = current.kind else { return try list() }
    return .name(NameSyntax(text: word, range: advance().range))
  }

  private mutating func list() throws(Abandoned) -> ExpressionSyntax {
    let start = index
    try expect(.openBracket, "and a list")
    var elements: [ExpressionSyntax] = []
    if !current.isMark(.closeBracket) {
      repeat { elements.append(try expression()) } while accept(.comma)
    }
    try expect(.closeBracket, "or ',' after an element")
    return .list(elements, range(from: start))
  }

  /// Counts nesting, so that no text overflows the stack.
  private mutating func deeper(
    _ read: (inout Parser) throws(Abandoned) -> ExpressionSyntax
  ) throws(Abandoned) -> ExpressionSyntax {
    expressionDepth += 1
    defer { expressionDepth -= 1 }
    guard expressionDepth <= Limits.nesting else {
      problems.append(
        Problem(
          "nested-too-deeply", at: current.range,
          "expressions are nested deeper than \(Limits.nesting)"))
      throw Abandoned()
    }
    return try read(&self)
  }
}
