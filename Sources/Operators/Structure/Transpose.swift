import GraphIR
import Tensors

/// [Transpose](https://onnx.ai/onnx/operators/onnx__Transpose.html): the axes in another order,
/// reversed by default; a view.
struct Transpose: Operator {
  static let key: OpKey = "Transpose"
  static let versions = 1...24

  private let permutation: [Int]?

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
    permutation = try node.ints("perm")
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let data = try inputs.required(0)
    guard let shape = data.shape else { return [ValueFact(data.dataType, nil)] }
    let order = try order(rank: shape.count)
    let result = order.map { shape[$0] }
    let elements = try ElementMovement.follow([data], to: result) { $0[0].transposed(order) }
    return [ValueFact(data.dataType, result, elements: elements)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let data = try inputs.tensor(0)
    return [.tensor(data.transposed(try order(rank: data.rank)))]
  }

  private func order(rank: Int) throws(OperatorError) -> [Int] {
    guard let permutation else { return (0..<rank).reversed() }
    guard permutation.sorted() == Array(0..<rank) else {
      throw .badOperands("perm \(permutation) does not order the axes of a tensor of rank \(rank)")
    }
    return permutation
  }
}
