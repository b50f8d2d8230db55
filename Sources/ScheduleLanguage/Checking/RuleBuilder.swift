/// Puts the statements of a cache rule, and of the rules it uses, together.
struct RuleBuilder {
  private let vocabulary: Vocabulary
  private let rules: [String: RuleSyntax]
  private(set) var checker: ExpressionChecker
  private(set) var clauses: [Clause] = []
  private var guards: [(order: Int, value: Expression)] = []
  private var adaptive: [Expression] = []
  private var metric: Expression?
  private var threshold: Expression?
  private var reuse: (value: Expression, range: SourceRange)?
  private(set) var isDecided = false
  private var isRejected = false

  init(_ vocabulary: Vocabulary, rules: [String: RuleSyntax], checker: ExpressionChecker) {
    self.vocabulary = vocabulary
    self.rules = rules
    self.checker = checker
  }

  /// What the statements say; nil if something that the rule needs is missing or wrong.
  struct Result {
    var reuse: Reuse?
    var guards: Expression
    var adaptive: Expression?
    var metric: Expression?
    var threshold: Expression?
    /// Whether no statement was rejected.
    var isSound: Bool
  }

  /// Reads a body; clauses first, because `forced` means them.
  mutating func build(_ statements: [RuleStatement]) -> Result {
    gather(statements.compactMap(\.clause), everything: statements, depth: 0)
    clauses = ownClauses
    let context = RuleContext(clauses: clauses, forecasts: vocabulary.forecasts)
    for (order, primitive) in vocabulary.decisions.enumerated() {
      for clause in clauses where clause.keyword == primitive.descriptor.keyword {
        guards.append((order, primitive.decision(clause, in: context)))
        isDecided = isDecided || !primitive.isGuard
      }
    }
    checker.forced = .any(guards.map(\.value))
    keep(context)
    run(statements, depth: 0)
    return Result(
      reuse: reuse.map { Reuse(slots: checker.slots, value: $0.value) },
      guards: .any(guards.map(\.value)), adaptive: adaptive.isEmpty ? nil : .any(adaptive),
      metric: metric, threshold: threshold, isSound: !isRejected)
  }

  private var ownClauses: [Clause] = []

  /// The clauses of a body and of the rules that it uses.
  private mutating func gather(
    _ clauses: [Clause], everything statements: [RuleStatement], depth: Int
  ) {
    ownClauses += clauses
    guard depth < Limits.ruleDepth else { return }
    for case .use(let name, _) in statements {
      guard let rule = rules[name.text] else { continue }
      gather(rule.body.compactMap(\.clause), everything: rule.body, depth: depth + 1)
    }
  }

  /// What the `keep` clause says.
  private mutating func keep(_ context: RuleContext) {
    let found = vocabulary.reuses.compactMap { primitive in
      context.clause(primitive.descriptor.keyword).map { (primitive, $0) }
    }
    for (_, clause) in found.dropFirst() {
      reject(
        "two-reuses", clause.range,
        "the rule has '\(found[0].1.keyword)' already and cannot also '\(clause.keyword)'")
    }
    guard let (primitive, clause) = found.first else { return }
    let made = primitive.reuse(clause, in: context)
    checker.slots += made.slots
    reuse = (made.value, clause.range)
  }

  private mutating func run(_ statements: [RuleStatement], depth: Int) {
    for statement in statements {
      do throws(ExpressionChecker.Rejected) {
        try run(statement, depth)
      } catch {
        isRejected = true
      }
    }
  }

  private mutating func run(
    _ statement: RuleStatement, _ depth: Int
  ) throws(ExpressionChecker.Rejected) {
    switch statement {
    case .clause: break
    case .slot(let slot): try declare(slot)
    case .binding(let name, let value):
      try requireFree(name)
      checker.meanings[name.text] = try checker.meaning(value, .before)
    case .assignment(let assignment): try assign(assignment)
    case .decision(let isUnless, let condition, _): try decide(isUnless, condition)
    case .reuse(let value, let range):
      let value = try checker.check(value, .after, as: .tensor, .number)
      guard reuse == nil else {
        throw checker.reject(
          "two-reuses", range, "the rule says already what stands in for the site")
      }
      reuse = (value, range)
    case .report(let value): metric = try checker.check(value, .before, as: .number)
    case .use(let name, let arguments): try use(name, arguments, depth)
    }
  }

  private mutating func declare(_ syntax: SlotSyntax) throws(ExpressionChecker.Rejected) {
    try requireFree(syntax.name)
    var own = syntax.name.text
    var number = 2
    while checker.slots.contains(where: { $0.name == own }) {
      own = "\(syntax.name.text)_\(number)"
      number += 1
    }
    var slot = Slot(name: own, update: nil, storage: syntax.storage)
    slot.isPerToken = syntax.isPerToken
    if let initial = syntax.initial {
      let value = try checker.check(initial, .before, as: .number)
      guard let number = (try? value.value(in: EvaluationContext()))?.real else {
        throw checker.reject(
          "not-a-number", initial.range, "a slot begins with a plain number")
      }
      slot.initial = number
    }
    checker.slots.append(slot)
    checker.meanings[syntax.name.text] = .slot(own)
  }

  private mutating func requireFree(_ name: NameSyntax) throws(ExpressionChecker.Rejected) {
    guard checker.meanings[name.text] == nil else {
      throw checker.reject(
        "name-defined-twice", name.range, "'\(name.text)' is defined already")
    }
    let isTaken =
      Expression.Control(rawValue: name.text) != nil || Tap.named[name.text] != nil
      || ExpressionChecker.words.contains(name.text) || name.text == ReservedWords.stack
    guard !isTaken else {
      throw checker.reject(
        "reserved-word", name.range, "'\(name.text)' has a meaning of its own")
    }
  }

  private mutating func assign(
    _ syntax: AssignmentSyntax
  ) throws(ExpressionChecker.Rejected) {
    guard case .slot(let own)? = checker.meanings[syntax.name.text],
      let place = checker.slots.firstIndex(where: { $0.name == own })
    else {
      throw checker.reject(
        "not-a-slot", syntax.name.range, "'\(syntax.name.text)' is no slot",
        hint: "declare it: 'slot \(syntax.name.text) = 0' for a number, without '= 0' for a tensor")
    }
    var slot = checker.slots[place]
    func once(_ old: Expression?, _ new: Expression) throws(ExpressionChecker.Rejected)
      -> Expression
    {
      guard old == nil else {
        throw checker.reject(
          "assigned-twice", syntax.name.range, "'\(syntax.name.text)' is assigned already")
      }
      return new
    }
    if slot.isScalar {
      var value: Expression
      if syntax.moment == .always {
        value = try checker.check(syntax.value, .before, as: .number)
        if value.readsSiteOutput {
          value = try checker.check(syntax.value, .after, as: .number)
          slot.computed = try once(slot.computed, value)
          slot.reused = try once(slot.reused, value)
        } else {
          slot.before = try once(slot.before, value)
        }
      } else {
        value = try checker.check(syntax.value, .after, as: .number)
        try store(value, at: syntax.moment, in: &slot, once)
      }
      if let afterwards = syntax.afterwards {
        let value = try checker.check(afterwards, .after, as: .number)
        slot.computed = try once(slot.computed, value)
      }
    } else {
      let value = try checker.check(syntax.value, .after, as: .tensor, .number)
      if syntax.moment == .always {
        slot.computed = try once(slot.computed, value)
        slot.reused = try once(slot.reused, value)
      } else {
        try store(value, at: syntax.moment, in: &slot, once)
      }
    }
    guard let place = checker.slots.firstIndex(where: { $0.name == own }) else { return }
    checker.slots[place] = slot
  }

  private func store(
    _ value: Expression, at moment: AssignmentSyntax.Moment, in slot: inout Slot,
    _ once: (Expression?, Expression) throws(ExpressionChecker.Rejected) -> Expression
  ) throws(ExpressionChecker.Rejected) {
    if moment == .computed {
      slot.computed = try once(slot.computed, value)
    } else {
      slot.reused = try once(slot.reused, value)
    }
  }

  /// `unless` computes when the condition is false; a NaN in its metric makes it false.
  private mutating func decide(
    _ isUnless: Bool, _ syntax: ExpressionSyntax
  ) throws(ExpressionChecker.Rejected) {
    let condition = try checker.check(syntax, .before, as: .boolean)
    isDecided = true
    if condition.isStatic {
      guards.append((.max, isUnless ? .not(condition) : condition))
      return
    }
    var compared: Expression?
    if case .binary(let operation, let left, let right) = condition, operation.isComparison,
      !left.isStatic
    {
      compared = left
      if metric == nil {
        metric = left
        threshold = right
      }
    }
    if isUnless {
      adaptive.append(.not(condition))
    } else if let compared {
      adaptive.append(condition || .binary(.notEqual, compared, compared))
    } else {
      adaptive.append(condition)
    }
  }

  // MARK: - Rules by name

  private mutating func use(
    _ name: NameSyntax, _ arguments: [CallArgumentSyntax], _ depth: Int
  ) throws(ExpressionChecker.Rejected) {
    guard let rule = rules[name.text] else {
      throw checker.reject(
        "unknown-rule", name.range, "no rule is named '\(name.text)'",
        hint: Suggestion.hint(for: name.text, among: rules.keys.sorted())
          ?? "define it with 'rule \(name.text)(…) { … }', or import the file that does")
    }
    guard depth < Limits.ruleDepth else {
      throw checker.reject(
        "nested-too-deeply", name.range,
        "rules use each other deeper than \(Limits.ruleDepth), or in a circle")
    }
    var meanings: [String: Meaning] = [:]
    for argument in arguments {
      guard let label = argument.label else {
        throw checker.reject(
          "no-label", argument.value.range, "an argument needs the name of its parameter",
          hint: rule.parameters.first.map { "write '\($0.name.text): …'" })
      }
      guard let parameter = rule.parameters.first(where: { $0.name.text == label.text }) else {
        throw checker.reject(
          "unknown-parameter", label.range, "rule '\(rule.name.text)' has no '\(label.text)'",
          hint: Suggestion.hint(for: label.text, among: rule.parameters.map(\.name.text)))
      }
      guard meanings[label.text] == nil else {
        throw checker.reject("name-listed-twice", label.range, "'\(label.text)' is given twice")
      }
      let meaning = try checker.meaning(argument.value, .before)
      try requireRange(meaning, parameter, argument.value.range)
      meanings[label.text] = meaning
    }
    let outer = checker.meanings
    for parameter in rule.parameters where meanings[parameter.name.text] == nil {
      guard let value = parameter.defaultValue else {
        throw checker.reject(
          "missing-argument", name.range,
          "rule '\(rule.name.text)' needs '\(parameter.name.text)'",
          hint: "write '\(rule.name.text)(\(parameter.name.text): …)'")
      }
      checker.meanings = meanings
      meanings[parameter.name.text] = try checker.meaning(value, .before)
    }
    checker.meanings = meanings
    let known = checker.problems.count
    run(rule.body, depth: depth + 1)
    checker.meanings = outer
    guard rule.isImported else { return }
    for index in checker.problems.indices.dropFirst(known) {
      checker.problems[index].range = name.range
      checker.problems[index].message = "in '\(rule.name.text)': " + checker.problems[index].message
    }
  }

  private mutating func requireRange(
    _ meaning: Meaning, _ parameter: RuleParameterSyntax, _ place: SourceRange
  ) throws(ExpressionChecker.Rejected) {
    guard let range = parameter.range, case .expression(let value) = meaning,
      let number = (try? value.value(in: EvaluationContext()))?.real, !range.contains(number)
    else { return }
    let unit = parameter.unit.map { " \($0)" } ?? ""
    throw checker.reject(
      "number-out-of-range", place,
      "'\(parameter.name.text)' takes \(range.lowerBound) to \(range.upperBound)\(unit), not \(number)"
    )
  }

  private mutating func reject(_ code: String, _ range: SourceRange, _ message: String) {
    _ = checker.reject(code, range, message)
    isRejected = true
  }
}
