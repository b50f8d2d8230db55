import CacheRewrite
import GraphIR
import Interpreter
import ModelStructure
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

  /// What each slot holds after a computed call, by site and stream, in the streams' own type.
  func slots(after feeds: [Name: Tensor]) throws -> [[[String: Tensor]]] {
    var probed = graph
    let streams = plan.sites.flatMap(\.streams)
    for value in Set(streams.flatMap { [$0.input, $0.output] }).subtracting(graph.outputs) {
      probed.addOutput(value)
    }
    let values = try Engine(probed, options: options).run(feeds, trace: nil)
    return try plan.sites.map { site in
      let reuse = plan.schedule.rules[site.rule].rule.reuse
      return try site.streams.map { stream in
        guard let input = values[graph.name(of: stream.input)],
          let output = values[graph.name(of: stream.output)]
        else { throw Self.lost(site.name) }
        var slots: [String: Tensor] = [:]
        for slot in reuse.slots {
          guard let update = slot.computed else { continue }
          slots[slot.name] = try Self.value(update, input: input, output: output, slots: [:])
        }
        return slots
      }
    }
  }

  /// The model's outputs when every site reuses the given slots.
  func outputs(
    of feeds: [Name: Tensor], reusing slots: [[[String: Tensor]]]
  ) throws -> [Name: Tensor] {
    var cut = graph
    var feeds = feeds
    var known: [ValueID: Tensor] = [:]
    for (number, site) in plan.sites.enumerated() {
      let missing = site.streams.map(\.input).filter { known[$0] == nil }
      var probed = cut
      for value in missing where !cut.outputs.contains(value) { probed.addOutput(value) }
      if !missing.isEmpty {
        let values = try Engine(probed, options: options).run(feeds, trace: nil)
        for value in missing { known[value] = values[cut.name(of: value)] }
      }
      let reuse = plan.schedule.rules[site.rule].rule.reuse
      for (position, stream) in site.streams.enumerated() {
        guard let input = known[stream.input] else { throw Self.lost(site.name) }
        let output = try Self.value(
          reuse.value, input: input, output: nil, slots: slots[number][position])
        known[stream.output] = output
        let fed = cut.addInput(
          Name("check/\(number)/\(position)"), type: graph.type(of: stream.output))
        cut.replaceUses(of: stream.output, with: fed)
        feeds[cut.name(of: fed)] = output
      }
    }
    return try Engine(cut, options: options).run(feeds, trace: nil)
  }

  private static func value(
    _ expression: Expression, input: Tensor, output: Tensor?, slots: [String: Tensor]
  ) throws -> Tensor {
    let numbers = try numbers(
      expression, count: input.elementCount, input: input, output: output, slots: slots)
    return Tensor(numbers, shape: input.shape)
  }

  private static func numbers(
    _ expression: Expression, count: Int, input: Tensor, output: Tensor?, slots: [String: Tensor]
  ) throws -> [Float] {
    func elements(_ tensor: Tensor?) throws -> [Float] {
      guard let tensor, tensor.dataType == .float32, tensor.elementCount == count else {
        throw UsageError.unsupported(
          "unchecked-type", at: "--check", "only float32 streams can be checked")
      }
      return tensor.elements(as: Float.self)
    }
    switch expression {
    case .site(.input): return try elements(input)
    case .site(.output): return try elements(output)
    case .slot(let name): return try elements(slots[name])
    case .number(let number): return [Float](repeating: Float(number), count: count)
    case .integer(let number): return [Float](repeating: Float(number), count: count)
    case .binary(let operation, let left, let right):
      let a = try numbers(left, count: count, input: input, output: output, slots: slots)
      let b = try numbers(right, count: count, input: input, output: output, slots: slots)
      switch operation {
      case .add: return zip(a, b).map { $0 + $1 }
      case .subtract: return zip(a, b).map { $0 - $1 }
      case .multiply: return zip(a, b).map { $0 * $1 }
      case .divide: return zip(a, b).map { $0 / $1 }
      default: break
      }
    default: break
    }
    throw UsageError.unsupported(
      "unchecked-expression", at: "--check", "'\(expression)' cannot be evaluated on arrays")
  }

  private static func lost(_ site: String) -> UsageError {
    UsageError(
      "lost-stream", at: site, "a stream of this site has no value", category: .internalFault)
  }
}
