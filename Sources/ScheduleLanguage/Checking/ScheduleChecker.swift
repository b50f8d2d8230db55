/// Turns parsed schedules of one file into typed ones.
struct ScheduleChecker {
  private let vocabulary: Vocabulary
  private let source: SourceFile
  private(set) var problems: [Problem] = []
  private var bindings: [String: (site: Site?, range: SourceRange)] = [:]
  private var termCount = 0
  private var tableBudget = 200_000

  init(_ vocabulary: Vocabulary, source: SourceFile) {
    self.vocabulary = vocabulary
    self.source = source
  }

  /// The typed schedule; what is wrong with it is added to `problems`.
  mutating func check(_ syntax: ScheduleSyntax) -> Schedule {
    bindings = [:]
    var steps: Clause?
    var caches: [(syntax: CacheSyntax, site: Site?)] = []
    for statement in syntax.statements {
      switch statement {
      case .clause(let clause):
        if let first = steps { repeated(clause, after: first) } else { steps = clause }
      case .binding(let binding): bind(binding)
      case .cache(let cache): caches.append((cache, site(cache.site)))
      }
    }
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
    return Schedule(
      name: syntax.name.text,
      adapter: syntax.target.text == ReservedWords.any ? nil : syntax.target.text, steps: count,
      rules: rules, nameRange: syntax.name.range, adapterRange: syntax.target.range,
      source: source)
  }

  // MARK: - Sites

  private mutating func bind(_ binding: BindingSyntax) {
    let name = binding.name
    let value = binding.site.flatMap { site($0) }
    if [ReservedWords.stack, ReservedWords.blocks].contains(name.text) {
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

  /// The site that some terms mean; nil if any of them is wrong.
  private mutating func site(_ syntax: SiteSyntax) -> Site? {
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
    if let binding = bindings[name.text] { return binding.site }
    let known = bindings.keys.sorted() + [ReservedWords.stack]
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
    let joined = words.filter { seen.insert($0).inserted }.prefix(4).joined(separator: "-and-")
    return String(
      joined.map { character in
        let isPlain =
          character.isASCII && (character.isLetter || character.isNumber || character == "_")
        return isPlain ? character : "-"
      })
  }

  private mutating func rule(_ cache: CacheSyntax, _ site: Site?, _ name: String) -> CacheRule? {
    let range = cache.keywordRange.union(cache.site.range)
    let context = RuleContext(clauses: cache.body)
    checkRepetition(cache.body, vocabulary.clauses)
    let reuses = vocabulary.reuses.compactMap { primitive in
      context.clause(primitive.descriptor.keyword).map { (primitive, $0) }
    }
    var decisions: [Expression] = []
    var isDecided = false
    for primitive in vocabulary.decisions {
      for clause in cache.body where clause.keyword == primitive.descriptor.keyword {
        decisions.append(primitive.decision(clause, in: context))
        isDecided = isDecided || !primitive.isGuard
      }
    }
    if !isDecided, cache.isComplete {
      let choices = vocabulary.decisions.filter { !$0.isGuard }.map {
        "'\($0.descriptor.signature)'"
      }
      problems.append(
        Problem(
          "no-decision", at: range, "rule '\(name)' does not say when to compute again",
          hint: "add \(choices.joined(separator: " or "))"))
    }
    if reuses.isEmpty, cache.isComplete {
      let choices = vocabulary.reuses.map { "'\($0.descriptor.signature)'" }
      problems.append(
        Problem(
          "no-reuse", at: range, "rule '\(name)' does not say what to keep",
          hint: "add \(choices.joined(separator: " or "))"))
    }
    guard let (primitive, clause) = reuses.first else { return nil }
    for (_, other) in reuses.dropFirst() {
      problems.append(
        Problem(
          "two-reuses", at: other.range,
          "rule '\(name)' has '\(clause.keyword)' already and cannot also '\(other.keyword)'"))
    }
    guard let site else { return nil }
    return CacheRule(
      name: name, site: site, reuse: primitive.reuse(clause, in: context),
      decision: .any(decisions), clauses: cache.body, siteRange: cache.site.range, range: range)
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
