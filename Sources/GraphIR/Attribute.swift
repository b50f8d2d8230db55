/// A named constant of a node.
public struct Attribute: Sendable {
  /// The name, such as `axis`.
  public let name: String

  /// The value.
  public var value: AttributeValue

  /// An attribute.
  public init(_ name: String, _ value: AttributeValue) {
    self.name = name
    self.value = value
  }
}

/// The kinds of attribute values that ONNX has and this software understands.
public indirect enum AttributeValue: Sendable {
  /// A 32-bit float.
  case float(Float)
  /// A 64-bit integer.
  case int(Int)
  /// Bytes, usually UTF-8.
  case string([UInt8])
  /// A tensor.
  case tensor(StoredTensor)
  /// A graph with the outer values it uses.
  case graph(Subgraph)
  /// Floats.
  case floats([Float])
  /// Integers.
  case ints([Int])
  /// Byte strings.
  case strings([[UInt8]])
  /// A kind that is kept in the file but not understood; the text names it.
  case opaque(String)

  /// A UTF-8 string.
  public static func text(_ text: String) -> AttributeValue { .string(Array(text.utf8)) }
}
