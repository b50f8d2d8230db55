import GraphIR
import Kernels
import Tensors

/// [Cast](https://onnx.ai/onnx/operators/onnx__Cast.html): the elements converted to another type.
///
/// Strings and 8-bit floats are not supported; `saturate` and `round_mode` concern the latter only.
struct Cast: Operator {
  static let key: OpKey = "Cast"
  static let versions = 6...24

  let target: DataType

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
    guard let code = try node.int("to") else { throw .badOperands("'to' is missing") }
    guard let type = Int32(exactly: code).flatMap(DataType.init(rawValue:)) else {
      throw .unsupported("casts to the element type \(code) are not implemented")
    }
    target = type
    if node.opset >= 19 { _ = try node.int("saturate") }
    if node.opset >= 24 { _ = try node.string("round_mode") }
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let data = try inputs.required(0)
    return [ValueFact(target, data.shape, elements: data.elements.flatMap(target.converted))]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    [.tensor(try inputs.tensor(0).cast(to: target, context))]
  }
}

extension Tensor {
  /// The elements converted to a type; the tensor itself when it has that type.
  func cast(to type: DataType, _ context: any RunContext) throws(OperatorError) -> Tensor {
    if dataType == type { return self }
    return try context.tensor(type, shape) { result throws(KernelError) in
      try Casting.cast(self, into: result)
    }
  }
}

extension DataType {
  /// Known integers after a conversion to this type; nil when one does not survive it.
  ///
  /// Sizes that are expressions are taken to fit.
  func converted(_ elements: [Dimension]) -> [Dimension]? {
    guard isInteger || self == .bool else { return nil }
    var result: [Dimension] = []
    for element in elements {
      guard let number = element.value else {
        if self == .bool {
          guard (element - 1).isCertainlyNotNegative else { return nil }
          result.append(1)
        } else {
          result.append(element)
        }
        continue
      }
      guard self != .bool else {
        result.append(number == 0 ? 0 : 1)
        continue
      }
      guard holds(number) else { return nil }
      result.append(element)
    }
    return result
  }

  private func holds(_ number: Int) -> Bool {
    switch self {
    case .int64: true
    case .uint64: number >= 0
    case .int32: Int32(exactly: number) != nil
    case .uint32: UInt32(exactly: number) != nil
    case .int16: Int16(exactly: number) != nil
    case .uint16: UInt16(exactly: number) != nil
    case .int8: Int8(exactly: number) != nil
    case .uint8: UInt8(exactly: number) != nil
    default: false
    }
  }
}
