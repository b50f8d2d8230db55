import GraphIR
public import Tensors

extension NodeReader {
  /// The element type that a fused operator rounds its result to, `to` as in Cast; nil for that of
  /// its first operand.
  mutating func resultType(_ name: String = "to") throws(OperatorError) -> DataType? {
    guard let code = try int(name) else { return nil }
    guard let type = Int32(exactly: code).flatMap(DataType.init(rawValue:)), type.isFusible else {
      throw .badOperands("attribute '\(name)' is \(code)")
    }
    return type
  }
}

extension DataType {
  /// True for the types that fused operators read and write; they compute in `float32`.
  public var isFusible: Bool { self == .float32 || isHalf }
}
