public import Tensors

/// A function of the bits of two integers.
public enum BitwiseOperation: String, Hashable, Sendable, CaseIterable {
  case and, or, xor
  /// The first moved by as many bits as the second says; beyond its width nothing is left.
  case shiftLeft, shiftRight

  func row<Number: FixedWidthInteger>() -> BinaryRow<Number, Number> {
    switch self {
    case .and: BinaryRow { $0 & $1 }
    case .or: BinaryRow { $0 | $1 }
    case .xor: BinaryRow { $0 ^ $1 }
    case .shiftLeft: BinaryRow { $0 << $1 }
    case .shiftRight: BinaryRow { $0 >> $1 }
    }
  }
}

extension Elementwise {
  /// `output = a operation b`; all three have one integer type.
  public static func bitwise(
    _ operation: BitwiseOperation, _ a: Tensor, _ b: Tensor, into output: Tensor
  ) throws(KernelError) {
    precondition(a.dataType == b.dataType && a.dataType == output.dataType, "types differ")
    switch output.dataType {
    case .int64: zip(operation.row() as BinaryRow<Int64, Int64>, a, b, output)
    case .int32: zip(operation.row() as BinaryRow<Int32, Int32>, a, b, output)
    case .int16: zip(operation.row() as BinaryRow<Int16, Int16>, a, b, output)
    case .int8: zip(operation.row() as BinaryRow<Int8, Int8>, a, b, output)
    case .uint64: zip(operation.row() as BinaryRow<UInt64, UInt64>, a, b, output)
    case .uint32: zip(operation.row() as BinaryRow<UInt32, UInt32>, a, b, output)
    case .uint16: zip(operation.row() as BinaryRow<UInt16, UInt16>, a, b, output)
    case .uint8: zip(operation.row() as BinaryRow<UInt8, UInt8>, a, b, output)
    default: throw .unsupported(operation.rawValue, output.dataType)
    }
  }
}
