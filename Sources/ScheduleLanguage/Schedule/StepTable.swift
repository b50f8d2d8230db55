/// Whether a site is computed, for every step of a run.
public struct StepTable: Hashable, Sendable {
  /// For each step in execution order: true if computed, false if reused.
  public let computed: [Bool]

  /// Whether the other steps are decided during the run.
  public let isAdaptive: Bool

  /// A table of decisions.
  public init(computed: [Bool], isAdaptive: Bool = false) {
    self.computed = computed
    self.isAdaptive = isAdaptive
  }

  /// The number of steps.
  public var stepCount: Int { computed.count }
  /// The number of computed steps.
  public var computedCount: Int { computed.count { $0 } }
  /// The number of reused steps.
  public var reusedCount: Int { stepCount - computedCount }
  /// The computed part of all steps, 0 to 1; 1 for a table of no steps.
  public var computedFraction: Double {
    stepCount == 0 ? 1 : Double(computedCount) / Double(stepCount)
  }
  /// The computed steps, ascending.
  public var computedSteps: [Int] { computed.indices.filter { computed[$0] } }

  /// The decision at a step, read at the nearest step of the table.
  public func isComputed(at step: Int) -> Bool {
    guard !computed.isEmpty else { return true }
    return computed[min(max(step, 0), computed.count - 1)]
  }

  /// The table for another number of steps: step k of S becomes round(k · (S′ − 1) / (S − 1)).
  func resampled(to steps: Int) -> StepTable {
    guard stepCount > 1, steps > 1, steps != stepCount else {
      return StepTable(computed: Array(computed.prefix(max(1, steps))), isAdaptive: isAdaptive)
    }
    var table = [Bool](repeating: false, count: steps)
    let scale = Double(steps - 1) / Double(stepCount - 1)
    for step in computedSteps { table[Int((Double(step) * scale).rounded())] = true }
    return StepTable(computed: table, isAdaptive: isAdaptive)
  }

  /// The steps that some guards force, whatever a rule decides about the others.
  ///
  /// A guard that asks for more than the step is left out.
  init(forcing guards: Expression, steps: Int) {
    let table = (0..<max(0, steps)).map { step in
      let context = EvaluationContext(controls: [
        .step: .integer(step), .steps: .integer(steps), .cachedSteps: .integer(0),
        .continuousCachedSteps: .integer(0),
      ])
      return step == 0 || (try? guards.isTrue(in: context)) ?? false
    }
    self.init(computed: table, isAdaptive: true)
  }

  /// The table of a decision over `steps` steps that reads numbers alone.
  ///
  /// Step 0 is computed whatever the decision says, because nothing is kept yet. The counters of
  /// reused steps follow from the steps before, and `slots` are numbers that follow from them.
  public init(
    deciding decision: Expression, slots: [Slot] = [], steps: Int, noise: NoiseTable? = nil
  ) throws(EvaluationError) {
    var run = KnownRun(slots, steps: steps, noise: noise)
    var table: [Bool] = []
    for _ in 0..<max(0, steps) { table.append(try run.computesNext(decision)) }
    self.init(computed: table)
  }
}
