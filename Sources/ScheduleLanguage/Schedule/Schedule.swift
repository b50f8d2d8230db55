/// One `cache` statement: a site, when it is computed, and what stands in for it otherwise.
public struct CacheRule: Hashable, Sendable {
  /// The name that state inputs carry; unique in its schedule.
  public var name: String
  /// What the rule applies to.
  public var site: Site
  /// What is kept and what stands in for the site.
  public var reuse: Reuse
  /// When the clauses want the site computed: known before the rule looks at any tensor.
  public var guards: Expression
  /// When the rule's own statements want it computed; nil for a rule of clauses alone.
  public var adaptive: Expression?
  /// What is reported as the rule's metric; nil if it has none.
  public var metric: Expression?
  /// What the metric is compared with, for reports; nil if that is not one number.
  public var threshold: Expression?
  /// The clauses of the body and of the rules it uses, in the order of the text.
  public var clauses: [Clause]
  /// The statements of the body, each on one line.
  public var statements: [String]
  /// Where the site is written.
  public var siteRange: SourceRange
  /// Where the rule is written.
  public var range: SourceRange

  /// When the site is computed: true means compute; validity and override come before it.
  public var decision: Expression { adaptive.map { guards || $0 } ?? guards }

  /// Whether a table of steps says it all.
  public var isStatic: Bool { decision.isStatic }

  /// Everything that the rule evaluates.
  public var expressions: [Expression] {
    [decision, reuse.value] + [metric].compactMap { $0 } + reuse.slots.flatMap(\.updates)
  }

  /// The decision as a table of steps; of an adaptive rule, the steps that are computed whatever it
  /// sees.
  ///
  /// A rule that reads numbers alone, be it by way of slots, is no adaptive one: its decisions are
  /// taken here.
  ///
  /// - Parameters:
  ///   - steps: the number of steps of the run
  ///   - noise: its noise levels, if they are known
  /// - Returns: whether each step computes
  /// - Throws: `Problem` if a clause names a step that the run does not have, or if the decision
  ///   is not static.
  public func stepTable(
    steps: Int, noise: NoiseTable? = nil
  ) throws(Problem) -> StepTable {
    guard steps > 0 else {
      throw Problem("no-steps", at: range, "a run needs at least 1 step, not \(steps)")
    }
    for clause in clauses {
      if let problem = clause.problems(steps: steps).first { throw problem }
    }
    do throws(EvaluationError) {
      if isStatic { return try StepTable(deciding: decision, steps: steps) }
      if let slots = knownSlots(given: noise),
        let table = try? StepTable(deciding: decision, slots: slots, steps: steps, noise: noise)
      {
        return table
      }
      return StepTable(forcing: guards, steps: steps)
    } catch {
      throw Problem(
        error.code, at: range, "rule '\(name)' cannot be written as a table: \(error.message)")
    }
  }
}

/// A checked schedule, its block sets symbolic until `resolve` meets a model.
public struct Schedule: Hashable, Sendable {
  /// Its name, unique in the catalogue.
  public var name: String
  /// The adapter it is made for; nil for `any`.
  public var adapter: String?
  /// The number of steps it is made for; nil if the host decides.
  public var steps: Int?
  /// The rules, in the order of the text.
  public var rules: [CacheRule]
  /// The numbers that a host may change, in the order of the text.
  public var parameters: [ScheduleParameter] = []
  /// Named sets of such numbers.
  public var presets: [Preset] = []
  /// Whether a run of another number of steps takes each listed step to the nearest place.
  public var isResampled = false
  /// What the host does about guidance.
  public var branches = BranchPlan.separate
  /// The fewest steps of a run for which the schedule is meant.
  public var minimumSteps: Int?
  /// Where the name is written.
  public var nameRange: SourceRange
  /// Where the adapter, or `any`, is written.
  public var adapterRange: SourceRange
  /// The file it was read from, for diagnostics and for the metadata of rewritten models.
  public var source: SourceFile

  /// Ties problems found later to the file.
  public func error(_ problems: [Problem]) -> ScheduleError {
    ScheduleError(problems.map { Diagnostic($0, in: source) })
  }

  /// The number of steps of a run: the host's choice, else the schedule's.
  ///
  /// - Throws: `ScheduleError` if neither says, or if the schedule was made for another number.
  public func stepCount(host: Int?) throws(ScheduleError) -> Int {
    switch (host, steps) {
    case (let host?, let own?) where host != own && !isResampled:
      throw error([
        Problem(
          "other-step-count", at: nameRange,
          "schedule '\(name)' is made for \(own) steps, but the run has \(host)",
          hint:
            "write 'resample' beside 'steps \(own)' if its lists may be stretched, or change them")
      ])
    case (let count?, _), (nil, let count?):
      if let minimumSteps, count < minimumSteps {
        throw error([
          Problem(
            "too-few-steps", at: nameRange,
            "schedule '\(name)' is meant for \(minimumSteps) steps or more, but the run has \(count)",
            hint: "a run this short has little to skip; run the model without a cache")
        ])
      }
      guard (1...Limits.stepCount).contains(count) else {
        throw error([
          Problem(
            "step-count-out-of-range", at: nameRange,
            "a run has 1 to \(Limits.stepCount) steps, not \(count)")
        ])
      }
      return count
    case (nil, nil):
      throw error([
        Problem(
          "no-step-count", at: nameRange,
          "schedule '\(name)' does not say how many steps a run has",
          hint: "pass --steps N or write 'steps N' in the schedule")
      ])
    }
  }
}
