import GraphIR
import Tensors

/// [Constant](https://onnx.ai/onnx/operators/onnx__Constant.html): a tensor written in the node.
///
/// Strings and sparse tensors are not supported.
struct Constant: Operator {
  static let key: OpKey = "Constant"
  static let versions = 1...24

  private let value: StoredTensor

  private static let kinds = [
    "value", "value_int", "value_ints", "value_float", "value_floats", "value_string",
    "value_strings", "sparse_value",
  ]

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(0...0)
    let values = Self.kinds.filter { node.has($0) }
    guard values.count == 1 else {
      throw .badOperands("the constant has \(values.count) values")
    }
    if let tensor = try node.tensor("value") {
      value = tensor
    } else if let number = try node.int("value_int") {
      value = StoredTensor(Tensor(scalar: Int64(number)))
    } else if let numbers = try node.ints("value_ints") {
      value = StoredTensor(Tensor(numbers.map { Int64($0) }))
    } else if let number = try node.float("value_float") {
      value = StoredTensor(Tensor(scalar: number))
    } else if let numbers = try node.floats("value_floats") {
      value = StoredTensor(Tensor(numbers))
    } else {
      throw .unsupported("the constant is not numeric")
    }
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    if value.shape.elementCount <= ValueFact.maximumElements {
      return [ValueFact(constant: try load())]
    }
    return [ValueFact(.tensor(value.type))]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    [.tensor(try load())]
  }

  private func load() throws(OperatorError) -> Tensor {
    do {
      return try value.load()
    } catch {
      throw OperatorError("unreadable-constant", "the tensor cannot be read: \(error)")
    }
  }
}
