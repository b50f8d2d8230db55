/// The noise levels of a run: what decisions by `timestep`, `sigma` and `next_sigma` need to be
/// known before it.
public struct NoiseTable: Hashable, Sendable {
  /// The timestep of each step, as the model gets it.
  public var timesteps: [Double]
  /// The noise level of each step, and the last one's after it.
  public var sigmas: [Double]

  /// The levels of a run of `timesteps.count` steps; `sigmas` has one more.
  public init(timesteps: [Double], sigmas: [Double]) {
    self.timesteps = timesteps
    self.sigmas = sigmas
  }

  /// The controls of one step; none if the table does not reach it.
  func controls(at step: Int) -> [Expression.Control: ScalarValue] {
    guard timesteps.indices.contains(step), sigmas.indices.contains(step + 1) else { return [:] }
    return [
      .timestep: .number(timesteps[step]), .sigma: .number(sigmas[step]),
      .nextSigma: .number(sigmas[step + 1]),
    ]
  }
}

/// Takes the decisions of a run beforehand, for rules that read numbers alone.
struct KnownRun {
  private let slots: [Slot]
  private let steps: Int
  private let noise: NoiseTable?
  /// What is assigned before the decision, what others read first.
  private let assignments: [(name: String, value: Expression)]
  /// Number slots as the next call begins.
  private var values: [String: ScalarValue]
  private var step = 0
  private var cached = 0
  private var continuous = 0

  /// A run that has not begun; `slots` are numbers.
  init(_ slots: [Slot], steps: Int, noise: NoiseTable?) {
    self.slots = slots
    self.steps = steps
    self.noise = noise
    values = Dictionary(
      slots.map { ($0.name, .number($0.initial ?? 0)) }, uniquingKeysWith: { first, _ in first })
    var waiting = slots.compactMap { slot in
      slot.before.map { (name: slot.name, value: $0) }
    }
    var ordered: [(name: String, value: Expression)] = []
    while let next = waiting.firstIndex(where: { assignment in
      !waiting.contains { assignment.value.parts.contains(.updated($0.name)) }
    }) {
      ordered.append(waiting.remove(at: next))
    }
    assignments = ordered
  }

  /// Whether the next step computes, by the order of evaluation of the language.
  ///
  /// The first one does, whatever the decision says, because nothing is kept yet.
  mutating func computesNext(_ decision: Expression) throws(EvaluationError) -> Bool {
    var controls: [Expression.Control: ScalarValue] = [
      .step: .integer(step), .steps: .integer(steps), .cachedSteps: .integer(cached),
      .continuousCachedSteps: .integer(continuous), .valid: .boolean(step > 0),
    ]
    if let noise { controls.merge(noise.controls(at: step), uniquingKeysWith: { $1 }) }
    var context = EvaluationContext(controls: controls, slots: values)
    if step > 0 {
      for (name, value) in assignments { context.updated[name] = try value.value(in: context) }
    }
    let isComputed = step == 0 ? true : try decision.isTrue(in: context)
    var next = values.merging(context.updated, uniquingKeysWith: { $1 })
    for slot in slots {
      guard let update = isComputed ? slot.computed : slot.reused else { continue }
      next[slot.name] = try update.value(in: context)
    }
    values = next
    step += 1
    cached += isComputed ? 0 : 1
    continuous = isComputed ? 0 : continuous + 1
    return isComputed
  }
}

extension CacheRule {
  /// The number slots that the decision reads, directly or by way of others; nil if anything that it
  /// reads is known only during the run: a tensor, a host's number, a noise level without a table.
  func knownSlots(given noise: NoiseTable?) -> [Slot]? {
    var known: Set<Expression.Control> = [
      .step, .steps, .cachedSteps, .continuousCachedSteps, .valid,
    ]
    if noise != nil { known.formUnion([.timestep, .sigma, .nextSigma]) }
    var needed: Set<String> = []
    var pending = [decision]
    while let expression = pending.popLast() {
      guard expression.taps.isEmpty, expression.parameters.isEmpty, !expression.readsSite,
        expression.controls.isSubset(of: known)
      else { return nil }
      for name in expression.slots where needed.insert(name).inserted {
        guard let slot = reuse.slots.first(where: { $0.name == name }), slot.isScalar else {
          return nil
        }
        pending += slot.updates
      }
    }
    return reuse.slots.filter { needed.contains($0.name) }
  }

  /// Whether the noise levels of the run are all that is missing to take the decisions beforehand.
  public var needsOnlyLevels: Bool {
    knownSlots(given: nil) == nil && knownSlots(given: NoiseTable(timesteps: [], sigmas: [])) != nil
  }

  /// The rule with a decision that was taken beforehand as a list of steps, without the slots that
  /// only served to decide.
  func settled(by table: StepTable, isResampled: Bool = false) -> CacheRule {
    guard !table.isAdaptive, !isStatic || isResampled else { return self }
    var rule = self
    rule.guards = Expression.step.isMember(of: table.computedSteps)
    rule.adaptive = nil
    rule.metric = nil
    rule.threshold = nil
    var needed = Set(reuse.slots.filter { !$0.isScalar }.map(\.name)).union(reuse.value.slots)
    var pending = Array(needed)
    while let name = pending.popLast() {
      guard let slot = reuse.slots.first(where: { $0.name == name }) else { continue }
      for other in slot.updates.flatMap(\.slots) where needed.insert(other).inserted {
        pending.append(other)
      }
    }
    rule.reuse.slots.removeAll { !needed.contains($0.name) }
    return rule
  }

  /// Whether what is kept or reused is another at another step.
  var keepsByStep: Bool {
    (reuse.slots.flatMap(\.updates) + [reuse.value]).contains {
      !$0.controls.isDisjoint(with: [.step, .steps])
    }
  }
}
