public import Tensors

/// What is known of a tensor before anything runs.
public struct TensorType: Hashable, Sendable {
  /// The element type, or nil while unknown.
  public var dataType: DataType?

  /// The dimensions, or nil while not even the rank is known.
  public var shape: [Dimension]?

  /// A type of which any part may be unknown.
  public init(_ dataType: DataType?, _ shape: [Dimension]?) {
    self.dataType = dataType
    self.shape = shape
  }

  /// A fully known type.
  public init(_ dataType: DataType, _ shape: Shape) {
    self.init(dataType, shape.dimensions.map { Dimension($0) })
  }

  /// The shape when every dimension is a number.
  public var concreteShape: Shape? {
    guard let shape else { return nil }
    let sizes = shape.compactMap(\.value)
    guard sizes.count == shape.count else { return nil }
    return try? Shape(sizes)
  }
}

extension TensorType: CustomStringConvertible {
  /// `float32[1, 4, 2*s25]`; `?` stands for what is unknown.
  public var description: String {
    let element = dataType.map(\.description) ?? "?"
    guard let shape else { return element + "[?]" }
    return element + "[" + shape.map(\.description).joined(separator: ", ") + "]"
  }
}

/// What is known of a value: ONNX has tensors, sequences and optionals.
public indirect enum ValueType: Hashable, Sendable {
  /// Nothing is known.
  case unknown
  /// A tensor.
  case tensor(TensorType)
  /// A sequence of values of one type.
  case sequence(ValueType)
  /// A value that may be absent.
  case optional(ValueType)

  /// A tensor of which any part may be unknown.
  public static func tensor(_ dataType: DataType?, _ shape: [Dimension]?) -> ValueType {
    .tensor(TensorType(dataType, shape))
  }

  /// The tensor type, when it is one.
  public var tensor: TensorType? {
    if case .tensor(let type) = self { type } else { nil }
  }
}

extension ValueType: CustomStringConvertible {
  /// `float32[1, 4]`, `seq(float32[?])`, `optional(…)` or `?`.
  public var description: String {
    switch self {
    case .unknown: "?"
    case .tensor(let type): type.description
    case .sequence(let element): "seq(\(element))"
    case .optional(let element): "optional(\(element))"
    }
  }
}
