import GraphIR
import Tensors

/// [SequenceEmpty](https://onnx.ai/onnx/operators/onnx__SequenceEmpty.html): a sequence without
/// elements.
struct SequenceEmpty: Operator {
  static let key: OpKey = "SequenceEmpty"
  static let versions = 11...24

  private let dataType: DataType

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(0...0)
    let code = try node.int("dtype", default: Int(DataType.float32.rawValue))
    guard let type = Int32(exactly: code).flatMap(DataType.init(rawValue:)) else {
      throw .unsupported("elements of type \(code) are not implemented")
    }
    dataType = type
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    [ValueFact(.sequence(.tensor(dataType, nil)))]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    [.sequence([])]
  }
}
