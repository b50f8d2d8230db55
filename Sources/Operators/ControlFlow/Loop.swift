import GraphIR
import Kernels
import Tensors

/// [Loop](https://onnx.ai/onnx/operators/onnx__Loop.html): a graph that runs again and again, on
/// values it hands to itself; what else it yields is stacked.
///
/// A loop ends after the given number of trips or when its condition is false. One that would make
/// more than `maximumTripCount` trips is refused.
struct Loop: Operator {
  static let key: OpKey = "Loop"
  static let versions = 7...24

  /// Trips after which a loop is taken for an endless one.
  static let maximumTripCount = 1 << 24

  private let carriedCount: Int
  private let stacked: [ValueType]

  init(_ node: inout NodeReader) throws(OperatorError) {
    guard node.inputCount >= 2 else { throw .badOperands("fewer than 2 operands") }
    carriedCount = node.inputCount - 2
    let body = try node.graph("body").graph
    guard body.inputs.count == carriedCount + 2, body.outputs.count == node.outputCount + 1,
      node.outputCount >= carriedCount
    else {
      throw .badOperands(
        "a body with \(body.inputs.count) inputs and \(body.outputs.count) outputs does not fit "
          + "\(node.inputCount) operands and \(node.outputCount) results")
    }
    stacked = body.outputs[(1 + carriedCount)...].map { body.type(of: $0) }
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    var carried: [ValueFact] = []
    for position in 0..<carriedCount {
      carried.append(ValueFact(try inputs.required(position + 2).type))
    }
    let results = try CarriedFacts.settle(&carried, context) {
      (carried) throws(OperatorError) in
      let head = [ValueFact(.int64, []), ValueFact(.bool, [])]
      return Array(
        try context.infer(subgraph: "body", arguments: head + carried).dropFirst())
    }
    let count = context.makeSymbol()
    return carried
      + results[carriedCount...].map { fact in
        ValueFact(fact.dataType, fact.shape.map { [count] + $0 })
      }
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let limit = try inputs.integers(0)?.first
    var isRunning = try inputs.integers(1)?.first ?? 1
    var carried: [RuntimeValue] = []
    for position in 0..<carriedCount {
      guard let value = inputs[position + 2] else {
        throw .badOperands("operand \(position + 2) is missing")
      }
      carried.append(value)
    }
    var slices = [[Tensor]](repeating: [], count: stacked.count)
    var trip = 0
    while isRunning != 0, trip < limit ?? .max {
      guard trip < Self.maximumTripCount else {
        throw OperatorError(
          "endless-loop", "the loop makes more than \(Self.maximumTripCount) trips",
          category: .overLimit)
      }
      let head: [RuntimeValue] = [
        .tensor(Tensor(scalar: Int64(trip))), .tensor(Tensor(scalar: isRunning != 0)),
      ]
      let results = try context.run(subgraph: "body", arguments: head + carried)
      isRunning = try results[0].tensor().integers()?.first ?? 0
      carried = Array(results[1..<1 + carriedCount])
      for position in stacked.indices {
        slices[position].append(try results[1 + carriedCount + position].tensor())
      }
      trip += 1
    }
    var result = carried
    for (position, parts) in slices.enumerated() {
      result.append(
        .tensor(try Stacking.stack(parts, like: stacked[position], axis: 0, context)))
    }
    return result
  }

  /// Unknown: the body is counted where it stands.
  func flops(inputs: [ValueFact?], outputs: [ValueFact]) -> Int? { nil }
}
