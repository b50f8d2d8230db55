import COnnxShim
import GraphIR
import Tensors

extension GraphImporter {
  /// The type that a file states for a value.
  ///
  /// A dimension without number and symbol, or one that may be negative, becomes a symbol of its own,
  /// `value.axis`.
  func valueType(_ type: OnnxTypeRef, of name: Name, depth: Int = 0) -> ValueType {
    switch onnx_type_kind(type) {
    case OnnxTypeKindTensor:
      let element = DataType(rawValue: onnx_type_tensor_element(type))
      guard onnx_type_has_shape(type) else { return .tensor(element, nil) }
      return .tensor(
        element,
        (0..<onnx_type_rank(type)).map { dimension(onnx_type_dimension(type, $0), name, $0) })
    case OnnxTypeKindSequence where depth < limits.graphDepth:
      return .sequence(valueType(onnx_type_element(type), of: name, depth: depth + 1))
    case OnnxTypeKindOptional where depth < limits.graphDepth:
      return .optional(valueType(onnx_type_element(type), of: name, depth: depth + 1))
    default:
      return .unknown
    }
  }

  private func dimension(_ dimension: OnnxDimension, _ name: Name, _ axis: Int) -> Dimension {
    if dimension.hasValue, dimension.value >= 0 { return Dimension(Int(dimension.value)) }
    if (1...limits.nameByteCount).contains(dimension.symbol.count) {
      let parsed = Dimension(parsing: dimension.symbol.text)
      if parsed.constant >= 0, parsed.terms.allSatisfy({ $0.coefficient > 0 }) { return parsed }
    }
    return Dimension(symbol: "\(name.text).\(axis)")
  }
}
