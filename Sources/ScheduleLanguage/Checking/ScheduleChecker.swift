/// Turns parsed schedules of one file into typed ones.
struct ScheduleChecker {
  private let vocabulary: Vocabulary
  private let source: SourceFile
  private(set) var problems: [Problem] = []
  private var bindings: [String: (site: Site?, range: SourceRange)] = [:]
  private var meanings: [String: Meaning] = [:]
  private let rules: [String: RuleSyntax]
  private var termCount = 0
  private var tableBudget = 200_000

  init(_ vocabulary: Vocabulary, rules: [String: RuleSyntax] = [:], source: SourceFile) {
    self.vocabulary = vocabulary
    self.rules = rules
    self.source = source
  }

  /// The typed schedule; what is wrong with it is added to `problems`.
  mutating func check(_ syntax: ScheduleSyntax) -> Schedule {
    bindings = [:]
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
      case .cache(let cache): caches.append((cache, site(cache.site)))
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
    let names = ruleNames(caches.map(\.syntax))
    var rules: [CacheRule] = []
    for ((cache, site), name) in zip(caches, names) {
      if let rule = rule(cache, site, name) { rules.append(rule) }
    }
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

  // MARK: - Sites

  private mutating func bind(_ binding: BindingSyntax) {
    let name = binding.name
    var value: Site?
    switch binding.value {
    case .site(let syntax)?: value = site(syntax)
    case .expression(let syntax)?:
      var checker = expressionChecker()
      if let meaning = try? checker.meaning(syntax, .before) { meanings[name.text] = meaning }
      problems += checker.problems
      return
    case nil: break
    }
    let reserved = [
      ReservedWords.stack, ReservedWords.blocks, ReservedWords.output, ReservedWords.uncond,
    ]
    if reserved.contains(name.text) {
      problems.append(
        Problem("reserved-word", at: name.range, "'\(name.text)' has a meaning of its own"))
    } else if let first = bindings[name.text] {
      let line = source.position(of: first.range.start).line
      problems.append(
        Problem(
          "name-defined-twice", at: name.range,
          "'\(name.text)' is defined already, in line \(line)"))
    } else {
      bindings[name.text] = (value, name.range)
    }
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
    var known = meanings
    for (name, binding) in bindings { known[name] = binding.site.map { .site($0) } }
    var checker = ExpressionChecker(functions: vocabulary.functions) { [self] syntax, problems in
      var resolver = self
      resolver.problems = []
      let site = resolver.site(syntax)
      problems += resolver.problems
      return site
    }
    checker.meanings = known
    return checker
  }

  /// The site that some terms mean; nil if any of them is wrong.
  private mutating func site(_ syntax: SiteSyntax) -> Site? {
    guard let whole = blocks(syntax) else { return nil }
    guard let part = syntax.parts.first else { return whole }
    switch whole {
    case .blocks(let set): return .modules(syntax.parts, of: set, syntax.cut)
    case .stack:
      let all = BlockTerm(ranges: [BlockRange(first: .fromStart(0), last: .fromEnd(1))])
      return .modules(syntax.parts, of: BlockSet(terms: [all]), syntax.cut)
    case .output, .uncond, .modules:
      problems.append(
        Problem(
          "not-blocks", at: syntax.range, "'\(part.rawValue) of' takes blocks",
          hint: "write '\(part.rawValue) of blocks[0..]'"))
      return nil
    }
  }

  private mutating func blocks(_ syntax: SiteSyntax) -> Site? {
    var terms: [BlockTerm] = []
    for term in syntax.terms {
      switch term {
      case .blocks(let blocks): terms.append(blocks)
      case .name(let name):
        switch site(named: name) {
        case .blocks(let set)?: terms += set.terms
        case .stack?:
          guard syntax.terms.count == 1 else {
            problems.append(
              Problem(
                "stack-in-a-sum", at: name.range,
                "'stack' is all blocks already and cannot be added to others"))
            return nil
          }
          return .stack
        case .output?, .uncond?, .modules?:
          guard syntax.terms.count == 1, let site = self.site(named: name) else {
            problems.append(
              Problem(
                "not-blocks", at: name.range, "only blocks can be added to blocks"))
            return nil
          }
          return site
        case nil: return nil
        }
      }
    }
    termCount += terms.count
    guard termCount <= Limits.termCount else {
      if termCount - terms.count <= Limits.termCount {
        problems.append(
          Problem(
            "too-many-terms", at: syntax.range,
            "the block sets of the file have more than \(Limits.termCount) terms"))
      }
      return nil
    }
    return .blocks(BlockSet(terms: terms))
  }

  private mutating func site(named name: NameSyntax) -> Site? {
    if name.text == ReservedWords.stack { return .stack }
    if name.text == ReservedWords.output { return .output }
    if name.text == ReservedWords.uncond { return .uncond }
    if let binding = bindings[name.text] { return binding.site }
    let known =
      bindings.keys.sorted() + [ReservedWords.stack, ReservedWords.output, ReservedWords.uncond]
    problems.append(
      Problem(
        "unknown-block-set", at: name.range, "no block set is named '\(name.text)' above",
        hint: Suggestion.hint(for: name.text, among: known)
          ?? "a block family takes its blocks in brackets: '\(name.text)[0..]'"))
    return nil
  }

  // MARK: - Rules

  /// The names of the rules: those the text gives, and for the rest names made from the sites.
  private mutating func ruleNames(_ caches: [CacheSyntax]) -> [String] {
    var taken: [String: SourceRange] = [:]
    for name in caches.compactMap(\.name) {
      if let first = taken[name.text] {
        let line = source.position(of: first.start).line
        problems.append(
          Problem(
            "name-defined-twice", at: name.range,
            "a rule named '\(name.text)' stands in line \(line) already"))
      }
      taken[name.text] = name.range
    }
    var counts: [String: Int] = [:]
    return caches.map { cache in
      if let name = cache.name { return name.text }
      let base = derivedName(cache.site)
      var candidate = base
      while taken[candidate] != nil {
        let count = counts[base, default: 1] + 1
        counts[base] = count
        candidate = "\(base)-\(count)"
      }
      taken[candidate] = cache.site.range
      return candidate
    }
  }

  /// A name from the words of a site: `background`, `dual`, `dual-and-single`.
  private func derivedName(_ site: SiteSyntax) -> String {
    var seen: Set<String> = []
    let words = site.terms.map { term in
      switch term {
      case .name(let name): name.text
      case .blocks(let blocks): blocks.familyText
      }
    }
    let parts = site.parts.map { $0.rawValue + "-" }.joined(separator: "and-")
    let blocks = words.filter { seen.insert($0).inserted }.prefix(4).joined(separator: "-and-")
    let joined = parts.isEmpty ? blocks : "\(parts)of-\(blocks)"
    return String(
      joined.map { character in
        let isPlain =
          character.isASCII && (character.isLetter || character.isNumber || character == "_")
        return isPlain ? character : "-"
      })
  }

  private mutating func rule(_ cache: CacheSyntax, _ site: Site?, _ name: String) -> CacheRule? {
    let range = cache.keywordRange.union(cache.site.range)
    checkRepetition(cache.body.compactMap(\.clause), vocabulary.clauses)
    var builder = RuleBuilder(vocabulary, rules: rules, checker: expressionChecker())
    let made = builder.build(cache.body)
    problems += builder.checker.problems
    let isWhole = cache.isComplete && made.isSound
    if !builder.isDecided, isWhole {
      let choices = vocabulary.decisions.filter { !$0.isGuard }.map {
        "'\($0.descriptor.signature)'"
      }
      problems.append(
        Problem(
          "no-decision", at: range, "rule '\(name)' does not say when to compute again",
          hint: "add \(choices.joined(separator: " or ")), or 'refresh unless METRIC < THRESHOLD'"))
    }
    if made.reuse == nil, isWhole {
      let choices = vocabulary.reuses.map { "'\($0.descriptor.signature)'" }
      problems.append(
        Problem(
          "no-reuse", at: range, "rule '\(name)' does not say what to keep",
          hint: "add \(choices.joined(separator: " or ")), or 'reuse EXPRESSION'"))
    }
    guard let site, let reuse = made.reuse, made.isSound else { return nil }
    for slot in reuse.slots where slot.updates.isEmpty {
      problems.append(
        Problem(
          "never-filled", at: range, "slot '\(slot.name)' of rule '\(name)' is never assigned",
          hint: "write '\(slot.name) := output when computed'"))
    }
    if reuse.value.readsSiteOutput {
      problems.append(
        Problem(
          "output-on-reuse", at: range,
          "rule '\(name)' reuses its own 'output', which a reused step does not have",
          hint: "keep it in a slot"))
      return nil
    }
    if (made.adaptive?.readsSiteOutput ?? false)
      || reuse.slots.contains(where: {
        $0.reused?.readsSiteOutput ?? false && !$0.isScalar && $0.computed != $0.reused
      })
    {
      problems.append(
        Problem(
          "output-before-decision", at: range,
          "rule '\(name)' reads 'output' before the site ran",
          hint: "read it 'when computed'"))
      return nil
    }
    return CacheRule(
      name: name, site: site, reuse: reuse, guards: made.guards, adaptive: made.adaptive,
      metric: made.metric, threshold: made.threshold, clauses: builder.clauses,
      statements: statementTexts(cache), siteRange: cache.site.range, range: range)
  }

  /// The statements of a body as `explain` shows them.
  private func statementTexts(_ cache: CacheSyntax) -> [String] {
    cache.body.map { statement in
      switch statement {
      case .clause(let clause): clause.text
      case .slot(let slot): "slot \(slot.name.text)"
      case .binding(let name, let value): "let \(name.text) = \(source.text(value.range))"
      case .assignment(let assignment):
        "\(assignment.name.text) := \(source.text(assignment.value.range))"
      case .decision(let isUnless, let condition, _):
        "compute \(isUnless ? "unless" : "when") \(source.text(condition.range))"
      case .reuse(let value, _): "reuse \(source.text(value.range))"
      case .report(let value): "report \(source.text(value.range))"
      case .use(let name, let arguments):
        "\(name.text)("
          + arguments.map { "\($0.label?.text ?? "_"): \(source.text($0.value.range))" }
          .joined(separator: ", ") + ")"
      }
    }
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
