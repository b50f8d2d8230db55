extension Parser {
  private static let statementWords = ["slot", "let", "compute", "reuse", "report", "use"]

  /// A statement of a cache rule or of a named rule.
  mutating func ruleStatement(
    _ descriptors: [ClauseDescriptor], in place: String
  ) throws(Abandoned) -> RuleStatement {
    let start = index
    if case .word = current.kind, next.isMark(.assign) { return .assignment(try assignment()) }
    switch current.word {
    case "slot": return .slot(try slot())
    case "let":
      advance()
      let name = try name("a name for the value")
      try expect(.equals, "after 'let \(name.text)'")
      return .binding(name, try expression())
    case "compute":
      advance()
      let isUnless = current.word == "unless"
      guard isUnless || current.word == "when" else {
        throw unexpected("'unless' or 'when' after 'compute'")
      }
      advance()
      let keyword = range(from: start)
      return .decision(unless: isUnless, try expression(), keyword)
    case "refresh" where next.word == "unless":
      advance()
      advance()
      let keyword = range(from: start)
      return .decision(unless: true, try expression(), keyword)
    case "reuse":
      advance()
      return .reuse(try expression(), range(from: start))
    case "report":
      advance()
      return .report(try expression())
    case "use":
      advance()
      let name = try name("the name of a rule")
      guard accept(.openParenthesis, tight: true) else { return .use(name, []) }
      return .use(name, try arguments())
    default:
      return .clause(try clause(descriptors, in: place, beside: Self.statementWords))
    }
  }

  /// A named set of values for a schedule's parameters.
  mutating func preset() throws(Abandoned) -> PresetSyntax {
    advance()
    let name = try name("a name for the preset")
    var values: [(parameter: NameSyntax, value: ExpressionSyntax)] = []
    _ = try body("of preset '\(name.text)'") { (parser) throws(Abandoned) in
      let parameter = try parser.name("a parameter of the schedule")
      values.append((parameter, try parser.expression()))
    }
    return PresetSyntax(name: name, values: values)
  }

  private mutating func slot() throws(Abandoned) -> SlotSyntax {
    advance()
    let name = try name("a name for the slot")
    var initial: ExpressionSyntax?
    let isPerToken = current.word == "per"
    if isPerToken {
      advance()
      try expectWord("token", "after 'per'")
    } else if accept(.equals) {
      initial = try expression()
    }
    var storage: StorageType?
    if current.word == "as" {
      advance()
      guard let type = current.word.flatMap(StorageType.init(rawValue:)) else {
        throw unexpected("'float32', 'float16' or 'bfloat16' after 'as'")
      }
      storage = type
      advance()
    }
    return SlotSyntax(name: name, initial: initial, isPerToken: isPerToken, storage: storage)
  }

  private mutating func assignment() throws(Abandoned) -> AssignmentSyntax {
    let name = try name("a slot")
    try expect(.assign, "after the slot")
    let value = try expression()
    var result = AssignmentSyntax(name: name, value: value, moment: .always)
    if let moment = try moment() { result.moment = moment }
    if accept(.comma) {
      try expectWord("then", "after ','")
      result.afterwards = try expression()
      guard try moment() == .computed else {
        throw unexpected("'when computed' after what follows")
      }
    }
    return result
  }

  private mutating func moment() throws(Abandoned) -> AssignmentSyntax.Moment? {
    guard current.word == "when" else { return nil }
    advance()
    guard let word = current.word, let moment = AssignmentSyntax.Moment(rawValue: word) else {
      throw unexpected(
        "'computed', 'reused' or 'always' after 'when'",
        hint: current.word.flatMap {
          Suggestion.hint(for: $0, among: AssignmentSyntax.Moment.allCases.map(\.rawValue))
        })
    }
    advance()
    return moment
  }

  /// A `rule NAME(PARAMETERS) { … }`.
  mutating func rule() throws(Abandoned) -> RuleSyntax {
    advance()
    let name = try name("a name for the rule")
    var parameters: [RuleParameterSyntax] = []
    if accept(.openParenthesis, tight: true), !accept(.closeParenthesis) {
      var seen: Set<String> = []
      repeat {
        let parameter = try ruleParameter()
        if !seen.insert(parameter.name.text).inserted {
          problems.append(
            Problem(
              "name-listed-twice", at: parameter.name.range,
              "'\(parameter.name.text)' is listed twice"))
        }
        parameters.append(parameter)
      } while accept(.comma)
      try expect(.closeParenthesis, "or ',' after a parameter")
    }
    var statements: [RuleStatement] = []
    let descriptors = vocabulary.clauses
    let isComplete = try body("of rule '\(name.text)'") { (parser) throws(Abandoned) in
      statements.append(try parser.ruleStatement(descriptors, in: "a rule"))
    }
    return RuleSyntax(
      name: name, parameters: parameters, body: statements, isComplete: isComplete)
  }

  /// A parameter: `NAME [in A to B] [of UNIT] [= DEFAULT]`.
  mutating func ruleParameter() throws(Abandoned) -> RuleParameterSyntax {
    let name = try name("a name for the parameter")
    var result = RuleParameterSyntax(name: name)
    if current.word == "in" {
      advance()
      let low = try signedNumber()
      try expectWord("to", "between the ends of the range")
      let start = index
      let high = try signedNumber()
      guard low <= high else {
        problems.append(
          Problem(
            "backwards-range", at: range(from: start), "the range \(low) to \(high) runs backwards")
        )
        throw Abandoned()
      }
      result.range = low...high
    }
    if current.word == "of" {
      advance()
      result.unit = try self.name("a unit").text
    }
    if accept(.equals) { result.defaultValue = try expression() }
    return result
  }

  private mutating func signedNumber() throws(Abandoned) -> Double {
    let isNegative = accept(.minus)
    switch current.kind {
    case .integer(let value):
      advance(tight: isNegative)
      return isNegative ? -Double(value) : Double(value)
    case .number(let value):
      advance(tight: isNegative)
      return isNegative ? -value : value
    default: throw unexpected("a number")
    }
  }
}
