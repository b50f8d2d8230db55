import GraphIR
import Tensors

/// [NonZero](https://onnx.ai/onnx/operators/onnx__NonZero.html): the indices of the elements that
/// are not zero, one column each; their number depends on the data.
struct NonZero: Operator {
  static let key: OpKey = "NonZero"
  static let versions = 9...24

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let rank = try inputs.required(0).rank
    return [
      ValueFact(.int64, [rank.map { Dimension($0) } ?? context.makeSymbol(), context.makeSymbol()])
    ]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let data = try inputs.tensor(0)
    let isTrue = try data.cast(to: .bool, context).elements(as: Bool.self)
    let places = isTrue.indices.filter { isTrue[$0] }
    let result = try context.makeTensor(.int64, .checked([data.rank, places.count]))
    let elements = result.pointer(as: Int64.self)
    let strides = data.shape.rowMajorStrides
    for axis in 0..<data.rank {
      for (column, place) in places.enumerated() {
        elements[axis * places.count + column] = Int64(
          place / strides[axis] % data.shape[axis])
      }
    }
    return [.tensor(result)]
  }
}
