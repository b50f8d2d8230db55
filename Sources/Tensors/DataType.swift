/// The element type of a tensor.
///
/// Raw values are those of `onnx.TensorProto.DataType` (onnx/onnx.proto).
public enum DataType: Int32, Hashable, Sendable, CaseIterable {
  case float32 = 1
  case uint8 = 2
  case int8 = 3
  case uint16 = 4
  case int16 = 5
  case int32 = 6
  case int64 = 7
  case string = 8
  case bool = 9
  case float16 = 10
  case float64 = 11
  case uint32 = 12
  case uint64 = 13
  case complex64 = 14
  case complex128 = 15
  case bfloat16 = 16

  /// Bytes of one element; 0 for strings, which have no fixed width.
  public var byteCount: Int {
    switch self {
    case .string: 0
    case .uint8, .int8, .bool: 1
    case .uint16, .int16, .float16, .bfloat16: 2
    case .float32, .int32, .uint32: 4
    case .float64, .int64, .uint64, .complex64: 8
    case .complex128: 16
    }
  }

  /// True for the real floating-point types.
  public var isFloatingPoint: Bool {
    switch self {
    case .float16, .bfloat16, .float32, .float64: true
    default: false
    }
  }

  /// True for the floating-point types of two bytes.
  public var isHalf: Bool { self == .float16 || self == .bfloat16 }

  /// True for signed and unsigned integers; `bool` is not one.
  public var isInteger: Bool {
    switch self {
    case .uint8, .int8, .uint16, .int16, .uint32, .int32, .uint64, .int64: true
    default: false
    }
  }
}

extension DataType: CustomStringConvertible {
  /// The name NumPy and the schedule language use, such as `float32`.
  public var description: String {
    switch self {
    case .float32: "float32"
    case .uint8: "uint8"
    case .int8: "int8"
    case .uint16: "uint16"
    case .int16: "int16"
    case .int32: "int32"
    case .int64: "int64"
    case .string: "string"
    case .bool: "bool"
    case .float16: "float16"
    case .float64: "float64"
    case .uint32: "uint32"
    case .uint64: "uint64"
    case .complex64: "complex64"
    case .complex128: "complex128"
    case .bfloat16: "bfloat16"
    }
  }

  /// The type whose `description` is `name`.
  public init?(name: String) {
    guard let type = DataType.allCases.first(where: { $0.description == name }) else { return nil }
    self = type
  }
}
