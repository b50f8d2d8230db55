import GraphIR
import Kernels
import Tensors

/// [EyeLike](https://onnx.ai/onnx/operators/onnx__EyeLike.html): ones along a diagonal, zeros
/// elsewhere, of the shape of the operand.
struct EyeLike: Operator {
  static let key: OpKey = "EyeLike"
  static let versions = 9...24

  private let dataType: DataType?
  private let diagonal: Int

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
    diagonal = try node.int("k", default: 0)
    let code = try node.int("dtype")
    dataType = code.flatMap { Int32(exactly: $0) }.flatMap(DataType.init(rawValue:))
    guard code == nil || dataType != nil else {
      throw .unsupported("elements of type \(code ?? 0) are not implemented")
    }
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let type = try inputs.tensorType(0)
    if let shape = type.shape, shape.count != 2 { throw .badOperands("\(shape) is no matrix") }
    return [ValueFact(dataType ?? type.dataType, type.shape)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let x = try inputs.tensor(0)
    let result = try context.makeTensor(dataType ?? x.dataType, x.shape)
    Copying.clear(result)
    let one = try Tensor.scalar(1, as: result.dataType)
    for row in 0..<x.shape[0] {
      let (column, overflow) = row.addingReportingOverflow(diagonal)
      guard !overflow, (0..<x.shape[1]).contains(column) else { continue }
      Copying.fill(
        result.sliced(axis: 0, first: row, count: 1).sliced(axis: 1, first: column, count: 1),
        with: one)
    }
    return [.tensor(result)]
  }
}
