/// A value of one graph; meaningless in another.
public struct ValueID: Hashable, Sendable, Comparable {
  /// The position in the graph's table of values.
  public let index: Int32

  package init(_ index: Int) { self.index = Int32(truncatingIfNeeded: index) }

  /// Orders by position.
  public static func < (a: ValueID, b: ValueID) -> Bool { a.index < b.index }
}

/// A node of one graph; meaningless in another.
public struct NodeID: Hashable, Sendable, Comparable {
  /// The position in the graph's table of nodes, not in its order.
  public let index: Int32

  package init(_ index: Int) { self.index = Int32(truncatingIfNeeded: index) }

  /// Orders by position.
  public static func < (a: NodeID, b: NodeID) -> Bool { a.index < b.index }
}

/// Which operator a node applies: a domain and a type.
public struct OpKey: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
  /// The operator set's domain; empty for ONNX's own.
  public let domain: String
  /// The operator's type, such as `MatMul`.
  public let type: String

  /// An operator of a domain; `ai.onnx` is ONNX's own.
  public init(_ type: String, domain: String = "") {
    self.domain = domain == "ai.onnx" ? "" : domain
    self.type = type
  }

  /// An operator of ONNX's own domain.
  public init(stringLiteral value: String) {
    self.init(value)
  }

  /// The key of cache nodes, which exist only between the rewrite and its lowering.
  public static let cache = OpKey("Cache", domain: "ditcache")

  /// `Type`, or `domain.Type` outside ONNX's own domain.
  public var description: String { domain.isEmpty ? type : "\(domain).\(type)" }
}
