/// Turns parsed schedules of one file into typed ones.
struct ScheduleChecker {
  private let vocabulary: Vocabulary
  private let source: SourceFile
  private(set) var problems: [Problem] = []
  private var sites: SiteChecker
  private var meanings: [String: Meaning] = [:]
  private let rules: [String: RuleSyntax]
  private var tableBudget = 200_000

  init(_ vocabulary: Vocabulary, rules: [String: RuleSyntax] = [:], source: SourceFile) {
    self.vocabulary = vocabulary
    self.rules = rules
    self.source = source
    sites = SiteChecker(source: source)
  }

  /// The typed schedule; what is wrong with it is added to `problems`.
  mutating func check(_ syntax: ScheduleSyntax) -> Schedule {
    sites.begin()
    meanings = [:]
    var clauses: [Clause] = []
    var parameters: [ScheduleParameter] = []
    var presets: [PresetSyntax] = []
    var caches: [(syntax: CacheSyntax, site: Site?)] = []
    for statement in syntax.statements {
      switch statement {
      case .clause(let clause): clauses.append(clause)
      case .binding(let binding): bind(binding)
      case .parameter(let parameter): declare(parameter, among: &parameters)
      case .preset(let preset): presets.append(preset)
      case .cache(let cache):
        caches.append((cache, sites.site(cache.site)))
        problems += sites.takeProblems()
      }
    }
    checkRepetition(clauses, FixedClauses.schedule)
    let branches = clauses.filter { $0.keyword.hasPrefix("branches") }
    for other in branches.dropFirst() where other.keyword != branches[0].keyword {
      repeated(other, after: branches[0])
    }
    let steps = clauses.first { $0.keyword == "steps" }
    if caches.isEmpty, syntax.isComplete {
      problems.append(
        Problem(
          "nothing-cached", at: syntax.name.range,
          "schedule '\(syntax.name.text)' has no 'cache' rule"))
    }
    let names = RuleNames(of: caches.map(\.syntax), source: source)
    problems += names.problems
    var checker = CacheChecker(vocabulary, source: source)
    var rules: [CacheRule] = []
    let heldSlots = HeldSlotNames()
    for ((cache, site), name) in zip(caches, names.names) {
      checkRepetition(cache.body.compactMap(\.clause), vocabulary.clauses)
      var expressions = expressionChecker()
      expressions.heldSlots = heldSlots
      let builder = RuleBuilder(vocabulary, rules: self.rules, checker: expressions)
      let rule = checker.rule(cache, at: site, named: name, builder)
      if let rule { rules.append(rule) }
      heldSlots.add(rule, named: name)
    }
    problems += checker.problems
    let count = steps?.integer("count")
    if let count, (1...Limits.stepCount).contains(count) { checkSteps(of: rules, count) }
    var schedule = Schedule(
      name: syntax.name.text,
      adapter: syntax.target.text == ReservedWords.any ? nil : syntax.target.text, steps: count,
      rules: rules, nameRange: syntax.name.range, adapterRange: syntax.target.range,
      source: source)
    schedule.parameters = parameters
    let checked = PresetChecker(presets, parameters: parameters)
    schedule.presets = checked.presets
    problems += checked.problems
    if let clause = clauses.first(where: { $0.keyword == "resample" }) {
      schedule.isResampled = true
      if steps == nil {
        problems.append(
          Problem(
            "nothing-to-resample", at: clause.range,
            "'resample' needs 'steps N', the run that the lists were made for"))
      }
    }
    schedule.minimumSteps = clauses.first { $0.keyword == "min_steps" }?.integer("count")
    switch branches.first?.keyword {
    case "branches follow cond": schedule.branches = .follow
    case "branches drop cond":
      schedule.branches = .drop(from: branches[0].integer("step") ?? Limits.stepCount)
    default: break
    }
    checkUnconditional(schedule)
    return schedule
  }

  /// The unconditional call has one rule, which needs both calls to go on to the end.
  private mutating func checkUnconditional(_ schedule: Schedule) {
    let rules = schedule.rules.filter { $0.site == .uncond }
    guard let first = rules.first else { return }
    for other in rules.dropFirst() {
      problems.append(
        Problem(
          "overlapping-rules", at: other.siteRange,
          "rules '\(first.name)' and '\(other.name)' both cache the unconditional call"))
    }
    if case .drop = schedule.branches {
      problems.append(
        Problem(
          "uncond-with-drop", at: first.siteRange,
          "'branches drop cond' leaves the unconditional call alone, which 'cache uncond' rebuilds "
            + "from the conditional one"))
    }
    for rule in rules {
      guard let tap = rule.expressions.flatMap(\.taps).first else { continue }
      problems.append(
        Problem(
          "tap-outside-model", at: rule.siteRange,
          "rule '\(rule.name)' reads '\(tap)', which lies in the model; 'uncond' lies between its "
            + "calls", hint: "read 'input', what the conditional call made, or 'output'"))
    }
  }

  private mutating func bind(_ binding: BindingSyntax) {
    let name = binding.name
    switch binding.value {
    case .site(let syntax)?: sites.bind(name, to: sites.site(syntax))
    case .expression(let syntax)?:
      var checker = expressionChecker()
      if let meaning = try? checker.meaning(syntax, .before) { meanings[name.text] = meaning }
      problems += checker.problems
    case nil: sites.bind(name, to: nil)
    }
    problems += sites.takeProblems()
  }

  private mutating func declare(
    _ syntax: RuleParameterSyntax, among parameters: inout [ScheduleParameter]
  ) {
    guard let range = syntax.range, let value = syntax.defaultValue,
      case .literal(let literal, let place) = value,
      let number = (try? literal.value(in: EvaluationContext()))?.real
    else {
      problems.append(
        Problem(
          "incomplete-parameter", at: syntax.name.range,
          "parameter '\(syntax.name.text)' needs a range and a value",
          hint: "write 'parameter \(syntax.name.text) in 0 to 1 = 0.1'"))
      return
    }
    if !range.contains(number) {
      problems.append(
        Problem(
          "number-out-of-range", at: place,
          "'\(syntax.name.text)' takes \(range.lowerBound) to \(range.upperBound), not \(number)"))
    }
    if meanings[syntax.name.text] != nil {
      problems.append(
        Problem(
          "name-defined-twice", at: syntax.name.range,
          "'\(syntax.name.text)' is defined already"))
    }
    meanings[syntax.name.text] = .expression(.parameter(syntax.name.text))
    parameters.append(
      ScheduleParameter(
        name: syntax.name.text, range: range, defaultValue: number, unit: syntax.unit))
  }

  private func expressionChecker() -> ExpressionChecker {
    var checker = ExpressionChecker(functions: vocabulary.functions) { [sites] syntax, problems in
      var resolver = sites
      let site = resolver.site(syntax)
      problems += resolver.takeProblems()
      return site
    }
    checker.meanings = meanings.merging(sites.meanings) { $1 }
    return checker
  }

  private mutating func checkSteps(of rules: [CacheRule], _ steps: Int) {
    for rule in rules {
      let found = rule.clauses.flatMap { $0.problems(steps: steps) }
      problems += found
      guard found.isEmpty, tableBudget >= steps else { continue }
      tableBudget -= steps
      guard let table = try? rule.stepTable(steps: steps) else { continue }
      if table.reusedCount == 0 {
        problems.append(
          Problem(
            "nothing-reused", at: rule.range,
            "rule '\(rule.name)' reuses nothing: all \(steps) steps are computed",
            severity: .warning))
      }
    }
  }
}

extension ScheduleChecker {
  /// Reports clauses that may stand once and stand twice.
  mutating func checkRepetition(_ clauses: [Clause], _ descriptors: [ClauseDescriptor]) {
    let repeatable = Set(descriptors.filter(\.isRepeatable).map(\.keyword))
    var first: [String: Clause] = [:]
    for clause in clauses where !repeatable.contains(clause.keyword) {
      if let earlier = first[clause.keyword] {
        repeated(clause, after: earlier)
      } else {
        first[clause.keyword] = clause
      }
    }
  }

  private mutating func repeated(_ clause: Clause, after first: Clause) {
    let line = source.position(of: first.range.start).line
    problems.append(
      Problem(
        "clause-twice", at: clause.range,
        "'\(clause.keyword)' stands here already, in line \(line)"))
  }
}
