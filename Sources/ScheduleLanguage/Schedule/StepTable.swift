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

  /// The table of a static decision over `steps` steps.
  ///
  /// Step 0 is computed whatever the decision says, because nothing is kept yet. The counters of
  /// reused steps follow from the steps before.
  public init(
    deciding decision: Expression, steps: Int
  ) throws(EvaluationError) {
    var table: [Bool] = []
    var cached = 0
    var continuous = 0
    for step in 0..<max(0, steps) {
      let context = EvaluationContext(controls: [
        .step: .integer(step), .steps: .integer(steps), .cachedSteps: .integer(cached),
        .continuousCachedSteps: .integer(continuous),
      ])
      let isComputed = step == 0 ? true : try decision.isTrue(in: context)
      table.append(isComputed)
      cached += isComputed ? 0 : 1
      continuous = isComputed ? 0 : continuous + 1
    }
    self.init(computed: table)
  }
}
