/// Turns the `cache` rules of one schedule into typed ones.
struct CacheChecker {
  private let vocabulary: Vocabulary
  private let source: SourceFile
  private(set) var problems: [Problem] = []

  init(_ vocabulary: Vocabulary, source: SourceFile) {
    self.vocabulary = vocabulary
    self.source = source
  }

  /// Types a rule.
  ///
  /// - Parameters:
  ///   - cache: the rule as it was read
  ///   - site: what it caches; nil if that is wrong
  ///   - name: its name
  ///   - builder: what puts its statements together
  /// - Returns: the rule; nil where something that it needs is missing or wrong
  mutating func rule(
    _ cache: CacheSyntax, at site: Site?, named name: String, _ builder: consuming RuleBuilder
  ) -> CacheRule? {
    let range = cache.keywordRange.union(cache.site.range)
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
    guard checkPlaces(of: reuse, made, named: name, at: range) else { return nil }
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

  /// Whether attention maps are read where an attention is computed, and slots of other rules where
  /// these have been there before.
  private mutating func checkPlaces(
    of reuse: Reuse, _ made: RuleBuilder.Result, named name: String, at range: SourceRange
  ) -> Bool {
    let scalars = reuse.slots.filter(\.isScalar).flatMap(\.updates)
    let tensors = reuse.slots.filter { !$0.isScalar }
    let outside = scalars + [made.guards] + [made.adaptive, made.metric].compactMap { $0 }
    let early =
      outside + [reuse.value] + tensors.flatMap { [$0.before, $0.reused].compactMap { $0 } }
    if let value = early.flatMap(\.attentionValues).first {
      problems.append(
        Problem(
          "attention-not-computed", at: range,
          "rule '\(name)' reads '\(value.rawValue)' where no attention is computed",
          hint: "keep it: 'slot s per token as float32' and 's := \(value.rawValue) when computed'")
      )
      return false
    }
    for case .held(let rule, let slot) in outside.flatMap(\.parts) {
      problems.append(
        Problem(
          "held-outside-site", at: range,
          "rule '\(name)' reads 'held(\(rule), \(slot))' outside of its sites, where no block is meant",
          hint: "read it in 'reuse', or in what a tensor slot keeps"))
      return false
    }
    return true
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
}
