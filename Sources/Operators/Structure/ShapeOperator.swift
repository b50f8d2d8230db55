import GraphIR
import Tensors

/// [Shape](https://onnx.ai/onnx/operators/onnx__Shape.html): the dimensions, or those from `start`
/// up to `end`, as int64.
struct ShapeOperator: Operator {
  static let key: OpKey = "Shape"
  static let versions = 1...24

  private let start: Int
  private let end: Int?

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
    start = node.opset < 15 ? 0 : try node.int("start", default: 0)
    end = node.opset < 15 ? nil : try node.int("end")
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    guard let shape = try inputs.required(0).shape else {
      return [ValueFact(.int64, [context.makeSymbol()])]
    }
    let part = Array(shape[try range(rank: shape.count)])
    return [ValueFact(.int64, [Dimension(part.count)], elements: part)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let shape = try inputs.tensor(0).shape
    return [.tensor(Tensor(shape.dimensions[try range(rank: shape.rank)].map { Int64($0) }))]
  }

  /// Bounds outside the rank are moved to it.
  private func range(rank: Int) throws(OperatorError) -> Range<Int> {
    let extent = try SliceExtent(of: rank, from: start, to: end ?? rank, by: 1)
    return extent.first..<extent.first + extent.count
  }
}
