import GraphIR
import Tensors

/// [SequenceMap](https://onnx.ai/onnx/operators/onnx__SequenceMap.html): a graph run on each element
/// of a sequence, beside elements of other sequences and tensors that are the same each time.
struct SequenceMap: Operator {
  static let key: OpKey = "SequenceMap"
  static let versions = 17...24

  private let resultCount: Int

  init(_ node: inout NodeReader) throws(OperatorError) {
    let body = try node.graph("body").graph
    resultCount = node.outputCount
    guard node.inputCount > 0, body.inputs.count == node.inputCount,
      body.outputs.count == resultCount
    else {
      throw .badOperands(
        "a body with \(body.inputs.count) inputs and \(body.outputs.count) outputs does not fit "
          + "\(node.inputCount) operands and \(node.outputCount) results")
    }
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    var arguments: [ValueFact] = []
    for position in inputs.indices {
      let type = try inputs.required(position).type
      if case .sequence(let element) = type {
        arguments.append(ValueFact(element))
      } else {
        arguments.append(ValueFact(type))
      }
    }
    return try context.infer(subgraph: "body", arguments: arguments)
      .map { ValueFact(.sequence($0.type)) }
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let count = try inputs.sequence(0).count
    var results = [[RuntimeValue]](repeating: [], count: resultCount)
    for index in 0..<count {
      var arguments: [RuntimeValue] = []
      for input in inputs {
        guard let input else { throw .badOperands("an operand is missing") }
        guard case .sequence(let elements) = input else {
          arguments.append(input)
          continue
        }
        guard elements.count == count else {
          throw .badOperands("sequences of \(count) and \(elements.count) elements differ")
        }
        arguments.append(elements[index])
      }
      let yielded = try context.run(subgraph: "body", arguments: arguments)
      for position in results.indices { results[position].append(yielded[position]) }
    }
    return results.map { .sequence($0) }
  }

  /// Unknown: the body is counted where it stands.
  func flops(inputs: [ValueFact?], outputs: [ValueFact]) -> Int? { nil }
}
