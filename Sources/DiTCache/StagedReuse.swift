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
            .converted(to: output.dataType)
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
        let type = graph.tensorType(of: stream.output)?.dataType ?? input.dataType
        let output = try Self.value(
          reuse.value, input: input, output: nil, slots: slots[number][position]
        ).converted(to: type)
        known[stream.output] = output
        let fed = cut.addInput(
          Name("check/\(number)/\(position)"), type: graph.type(of: stream.output))
        cut.replaceUses(of: stream.output, with: fed)
        feeds[cut.name(of: fed)] = output
      }
    }
    return try Engine(cut, options: options).run(feeds, trace: nil)
  }

  /// The value of an expression; each operation is rounded to the type of its operands, as in a
  /// graph, and operands of different types meet in float32.
  private static func value(
    _ expression: Expression, input: Tensor, output: Tensor?, slots: [String: Tensor]
  ) throws -> Tensor {
    switch expression {
    case .site(.input): return input
    case .site(.output): if let output { return output }
    case .slot(let name): if let slot = slots[name] { return slot }
    case .number(let number): return Tensor([Float(number)])
    case .integer(let number): return Tensor([Float(number)])
    case .binary(let operation, let left, let right):
      let a = try value(left, input: input, output: output, slots: slots)
      let b = try value(right, input: input, output: output, slots: slots)
      return try apply(operation, a, b, shape: input.shape)
    default: break
    }
    throw UsageError.unsupported(
      "unchecked-expression", at: "--check", "'\(expression)' cannot be evaluated on arrays")
  }

  private static func apply(
    _ operation: Expression.BinaryOperator, _ a: Tensor, _ b: Tensor, shape: Shape
  ) throws -> Tensor {
    let count = shape.elementCount
    func numbers(_ tensor: Tensor) throws -> [Float] {
      let numbers = try tensor.asFloat32().elements(as: Float.self)
      if numbers.count == count { return numbers }
      guard let only = numbers.first, numbers.count == 1 else {
        throw UsageError.unsupported(
          "unchecked-shape", at: "--check", "a slot has another shape than its stream")
      }
      return [Float](repeating: only, count: count)
    }
    let pairs = zip(try numbers(a), try numbers(b))
    let results: [Float]
    switch operation {
    case .add: results = pairs.map { $0 + $1 }
    case .subtract: results = pairs.map { $0 - $1 }
    case .multiply: results = pairs.map { $0 * $1 }
    case .divide: results = pairs.map { $0 / $1 }
    default:
      throw UsageError.unsupported(
        "unchecked-expression", at: "--check", "'\(operation.rawValue)' on arrays")
    }
    let types = Set([a, b].filter { $0.elementCount == count }.map(\.dataType))
    let type = types.count == 1 ? types.first ?? .float32 : .float32
    return try Tensor(results, shape: shape).converted(to: type)
  }

  private static func lost(_ site: String) -> UsageError {
    UsageError(
      "lost-stream", at: site, "a stream of this site has no value", category: .internalFault)
  }
}
