import CacheContract
import CacheRewrite
import GraphIR
import Interpreter
import ModelStructure
import Operators
import ScheduleLanguage
import Tensors

/// A second opinion on what a cached model computes, made without cache nodes.
///
/// The original graph is cut at the streams by feeding values in, and the rules' expressions are
/// evaluated on arrays; nothing is shared with the lowering.
struct StagedReuse {
  let graph: Graph
  let plan: CachePlan
  let options: EngineOptions
  /// What each rule's scalars hold, and each tensor: by rule, site, stream and name.
  private var scalars: [[String: Double]]
  private var tensors: [Key: Tensor] = [:]
  private var isValid = false

  /// Which tensor slot: site and stream are nil for one that a rule keeps once.
  struct Key: Hashable {
    let rule: Int
    let site: Int?
    let stream: Int?
    let slot: String
  }

  init(graph: Graph, plan: CachePlan, options: EngineOptions) {
    self.graph = graph
    self.plan = plan
    self.options = options
    scalars = plan.schedule.rules.map { rule in
      Dictionary(
        uniqueKeysWithValues: rule.rule.reuse.slots.compactMap { slot in
          slot.initial.map { (slot.name, $0) }
        })
    }
  }

  /// What a tensor slot holds.
  func held(_ key: Key) -> Tensor? { tensors[key] }

  /// One call in which every site computes.
  mutating func compute(
    _ feeds: [Name: Tensor], step: Int, sigmas: (Double, Double)
  ) throws {
    var probed = graph
    for value in probes.subtracting(graph.outputs) where graph.producer(of: value) != nil {
      probed.addOutput(value)
    }
    var values = try Engine(probed, options: options).run(feeds, trace: nil)
    for (name, tensor) in feeds { values[name] = tensor }
    values.merge(try attentionValues(feeds)) { $1 }
    let call = Call(values: values, step: step, sigmas: sigmas)
    var next = tensors
    for (number, rule) in plan.schedule.rules.enumerated() {
      let updated = isValid ? try before(number, call) : scalars[number]
      let slots = rule.rule.reuse.slots
      var after = updated
      for slot in slots {
        guard let update = slot.computed else { continue }
        if slot.isScalar {
          let reads = slots.contains { !$0.isScalar && update.slots.contains($0.name) }
          guard isValid || !reads else { continue }
          after[slot.name] = try evaluation(number, call, updated).number(update)
        } else if slot.isLocal(among: slots) {
          for (site, facts) in plan.sites.enumerated() where facts.rule == number {
            for stream in facts.streams.indices {
              let own = evaluation(number, call, updated, site: (site, stream), after: next)
              let made = try call.value(facts.streams[stream].output, in: graph)
              let key = Key(rule: number, site: site, stream: stream, slot: slot.name)
              let shape =
                slot.isPerToken ? try Shape(made.shape.dimensions.dropLast() + [1]) : made.shape
              let value = try own.array(update, like: shape)
              next[key] = slot.isPerToken ? value : try value.converted(to: made.dataType)
            }
          }
        } else {
          let key = Key(rule: number, site: nil, stream: nil, slot: slot.name)
          next[key] = try evaluation(number, call, updated).array(update, like: .scalar)
        }
      }
      after["continuous_cached_steps"] = 0
      scalars[number] = after
    }
    tensors = next
    isValid = true
  }

  /// The model's outputs when every site reuses what is held.
  func reuse(
    _ feeds: [Name: Tensor], step: Int, sigmas: (Double, Double)
  ) throws -> [Name: Tensor] {
    var cut = graph
    var feeds = feeds
    var updated: [Int: [String: Double]] = [:]
    for (number, site) in plan.sites.enumerated() {
      let rule = plan.schedule.rules[site.rule].rule
      let taps = ([rule.reuse.value] + rule.reuse.slots.compactMap(\.before)).flatMap(\.taps)
      // What the site makes of all tokens holds what a body makes of some.
      let made = rule.reuse.value.runsBodies ? site.streams.map(\.output) : []
      let wanted = Set(
        site.streams.map(\.input) + made + taps.flatMap { plan.values(inAnyStreamOf: $0) })
      var probed = cut
      for value in wanted.subtracting(cut.outputs) where cut.producer(of: value) != nil {
        probed.addOutput(value)
      }
      var values = try Engine(probed, options: options).run(feeds, trace: nil)
      for (name, tensor) in feeds { values[name] = tensor }
      let call = Call(values: values, step: step, sigmas: sigmas)
      let current = try updated[site.rule] ?? before(site.rule, call)
      updated[site.rule] = current
      for (position, stream) in site.streams.enumerated() {
        let own = evaluation(site.rule, call, current, site: (number, position))
        let shape =
          try graph.tensorType(of: stream.output)?.concreteShape
          ?? call.value(stream.input, in: graph).shape
        let type = graph.tensorType(of: stream.output)?.dataType ?? .float32
        let output = try own.array(rule.reuse.value, like: shape).converted(to: type)
        let fed = cut.addInput(
          Name("check/\(number)/\(position)"), type: graph.type(of: stream.output))
        cut.replaceUses(of: stream.output, with: fed)
        feeds[cut.name(of: fed)] = output
      }
    }
    let fed = Set(cut.inputs)
    var known = feeds
    if !cut.outputs.allSatisfy(fed.contains) {
      let results = try Engine(cut, options: options).run(feeds, trace: nil)
      known.merge(results) { $1 }
    }
    var outputs: [Name: Tensor] = [:]
    for (own, value) in zip(graph.outputs, cut.outputs) {
      outputs[graph.name(of: own)] = known[cut.name(of: value)]
    }
    return outputs
  }

  /// What one call made of the model's values.
  private struct Call {
    let values: [Name: Tensor]
    let step: Int
    let sigmas: (Double, Double)

    func value(_ id: ValueID, in graph: Graph) throws -> Tensor {
      guard let value = values[graph.name(of: id)] else {
        throw UsageError(
          "lost-value", at: graph.name(of: id).text, "a value that a rule reads is not there",
          category: .internalFault)
      }
      return value
    }
  }

  private var probes: Set<ValueID> {
    let streams = plan.sites.flatMap(\.streams).flatMap { [$0.input, $0.output] }
    let taps = plan.schedule.rules.flatMap(\.rule.expressions).flatMap(\.taps)
    return Set(streams + taps.flatMap { plan.values(inAnyStreamOf: $0) })
  }

  /// A rule's scalars after the assignments before the decision.
  private func before(_ rule: Int, _ call: Call) throws -> [String: Double] {
    var updated = scalars[rule]
    for slot in plan.schedule.rules[rule].rule.reuse.slots {
      guard let update = slot.before else { continue }
      updated[slot.name] = try evaluation(rule, call, updated).number(update)
    }
    return updated
  }

  private func evaluation(
    _ rule: Int, _ call: Call, _ updated: [String: Double],
    site: (number: Int, stream: Int)? = nil, after: [Key: Tensor]? = nil
  ) -> ArrayExpression {
    let first = plan.sites.firstIndex { $0.rule == rule } ?? 0
    let own = site ?? (first, 0)
    let stream = plan.sites[own.number].streams[own.stream]
    func array(_ tensor: Tensor) throws -> ArrayExpression.Value {
      .array(try tensor.asFloat32().elements(as: Float.self), tensor.shape)
    }
    return ArrayExpression(grid: own.stream == 0 ? grid(of: stream) : nil) { expression in
      switch expression {
      case .control(.depth):
        let count = plan.schedule.layout.blockCount
        let place = Double(plan.sites[own.number].blocks.lowerBound)
        return .number(count > 1 ? place / Double(count - 1) : 0)
      case .body(.site(.input)): return try array(call.value(stream.output, in: graph))
      case .body(.call(.gather, let operands)) where operands[0] == .site(.input):
        let whole = try array(call.value(stream.output, in: graph))
        return try evaluation(rule, call, updated, site: site, after: after)
          .rows(whole, at: operands[1])
      case .held(let other, let slot):
        guard let key = heldKey(other, slot, own), let value = (after ?? tensors)[key] else {
          throw ArrayExpression.odd(expression)
        }
        return try array(value)
      case .control(.step): return .number(Double(call.step))
      case .control(.steps): return .number(Double(plan.schedule.steps))
      case .control(.branch): return .number(0)
      case .control(.timestep):
        let fed = try plan.timestep.map { try call.value($0, in: graph).asFloat32() }
        return .number(Double(fed?.elements(as: Float.self).max() ?? .nan))
      case .control(.sigma): return .number(call.sigmas.0)
      case .control(.nextSigma): return .number(call.sigmas.1)
      case .control(.valid): return .boolean(isValid)
      case .control(.cachedSteps), .control(.continuousCachedSteps): return .number(0)
      case .parameter(let name):
        let found = plan.schedule.schedule.parameters.first { $0.name == name }
        return .number(found?.defaultValue ?? .nan)
      case .site(.input): return try array(call.value(stream.input, in: graph))
      case .site(.output): return try array(call.value(stream.output, in: graph))
      case .site(let value):
        guard let attention = attention(of: own.number) else {
          throw ArrayExpression.odd(expression)
        }
        let operand = value == .valueNorm ? attention.values : attention.weights
        guard let operand else { throw ArrayExpression.odd(expression) }
        let tokens = try call.value(stream.output, in: graph).shape.dimensions.dropLast().last
        return try AttentionNumbers(try call.value(operand, in: graph)).column(
          value, tokens: tokens)
      case .tap(let tap):
        let values = try plan.values(of: tap, stream: own.stream)
          .map { try call.value($0, in: graph) }
        guard values.count == 2 else { return try array(values[0]) }
        let a = try values[0].asFloat32().elements(as: Float.self)
        let b = try values[1].asFloat32().elements(as: Float.self)
        return .array(zip(a, b).map { $0 - $1 }, values[0].shape)
      case .updated(let name): return .number(updated[name] ?? .nan)
      case .slot(let name):
        if let scalar = scalars[rule][name] { return .number(scalar) }
        let local = Key(rule: rule, site: own.number, stream: own.stream, slot: name)
        let shared = Key(rule: rule, site: nil, stream: nil, slot: name)
        guard let held = tensors[local] ?? tensors[shared] else { return .number(0) }
        return try array(held)
      default: throw ArrayExpression.odd(expression)
      }
    }
  }
}
