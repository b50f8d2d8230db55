public import GraphIR

/// Reads the attributes of one node and remembers which were read.
///
/// An attribute that nobody read has a meaning nobody implemented; `finish` makes it an error
/// rather than a wrong result.
public struct NodeReader {
  /// The version of the operator's domain that the model imports.
  public let opset: Int

  private let node: Node
  private var read: Set<String> = []

  /// A reader of a node in a graph that imports `opset` of the node's domain.
  public init(_ node: Node, opset: Int) {
    self.node = node
    self.opset = opset
  }

  /// The number of operands written down, absent ones included.
  public var inputCount: Int { node.inputs.count }

  /// The number of results, absent ones included.
  public var outputCount: Int { node.outputs.count }

  /// True when the operand is there.
  public func hasInput(_ position: Int) -> Bool {
    position < node.inputs.count && node.inputs[position] != nil
  }

  /// True when somebody may read the result.
  public func hasOutput(_ position: Int) -> Bool {
    position < node.outputs.count && node.outputs[position] != nil
  }

  /// Refuses a node with too few or too many operands.
  public func requireInputs(_ range: ClosedRange<Int>) throws(OperatorError) {
    guard range.contains(inputCount) else {
      let expected =
        range.lowerBound == range.upperBound
        ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
      throw .badOperands("\(inputCount) operands, \(expected) expected")
    }
  }

  /// Refuses a node that asks for more results than `maximum`.
  public func allowOutputs(_ maximum: Int) throws(OperatorError) {
    if let extra = (0..<outputCount).first(where: { $0 >= maximum && hasOutput($0) }) {
      throw .unsupported("result \(extra) of this operator is not implemented")
    }
  }

  /// True when the attribute is written down.
  public func has(_ name: String) -> Bool { node.attribute(name) != nil }

  /// An integer attribute, or nil.
  public mutating func int(_ name: String) throws(OperatorError) -> Int? {
    guard let value = take(name) else { return nil }
    guard case .int(let number) = value else { throw wrongKind(name, "an integer") }
    return number
  }

  /// An integer attribute with a default.
  public mutating func int(_ name: String, default fallback: Int) throws(OperatorError) -> Int {
    try int(name) ?? fallback
  }

  /// A 0-or-1 attribute with a default.
  public mutating func flag(_ name: String, default fallback: Bool) throws(OperatorError) -> Bool {
    try int(name).map { $0 != 0 } ?? fallback
  }

  /// A list of integers, or nil.
  public mutating func ints(_ name: String) throws(OperatorError) -> [Int]? {
    guard let value = take(name) else { return nil }
    guard case .ints(let numbers) = value else { throw wrongKind(name, "a list of integers") }
    return numbers
  }

  /// A float attribute, or nil.
  public mutating func float(_ name: String) throws(OperatorError) -> Float? {
    guard let value = take(name) else { return nil }
    guard case .float(let number) = value else { throw wrongKind(name, "a float") }
    return number
  }

  /// A float attribute with a default.
  public mutating func float(
    _ name: String, default fallback: Float
  ) throws(OperatorError) -> Float {
    try float(name) ?? fallback
  }

  /// A list of floats, or nil.
  public mutating func floats(_ name: String) throws(OperatorError) -> [Float]? {
    guard let value = take(name) else { return nil }
    guard case .floats(let numbers) = value else { throw wrongKind(name, "a list of floats") }
    return numbers
  }

  /// A text attribute, or nil.
  public mutating func string(_ name: String) throws(OperatorError) -> String? {
    guard let value = take(name) else { return nil }
    guard case .string(let bytes) = value else { throw wrongKind(name, "a string") }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// A list of texts, or nil.
  public mutating func strings(_ name: String) throws(OperatorError) -> [String]? {
    guard let value = take(name) else { return nil }
    guard case .strings(let texts) = value else { throw wrongKind(name, "a list of strings") }
    return texts.map { String(decoding: $0, as: UTF8.self) }
  }

  /// One of a few words, with a default.
  public mutating func word(
    _ name: String, in allowed: [String], default fallback: String
  ) throws(OperatorError) -> String {
    let word = try string(name) ?? fallback
    guard allowed.contains(word) else {
      throw .unsupported("attribute '\(name)' is '\(word)', known are \(allowed)")
    }
    return word
  }

  /// A tensor attribute, or nil.
  public mutating func tensor(_ name: String) throws(OperatorError) -> StoredTensor? {
    guard let value = take(name) else { return nil }
    guard case .tensor(let tensor) = value else { throw wrongKind(name, "a tensor") }
    return tensor
  }

  /// A graph attribute that must be there.
  public mutating func graph(_ name: String) throws(OperatorError) -> Subgraph {
    guard let value = take(name) else {
      throw .badOperands("attribute '\(name)' is missing")
    }
    guard case .graph(let subgraph) = value else { throw wrongKind(name, "a graph") }
    return subgraph
  }

  /// Marks an attribute that says nothing new as read.
  public mutating func skip(_ name: String) { read.insert(name) }

  /// Refuses attributes that nobody read.
  public func finish() throws(OperatorError) {
    let unread = node.attributes.map(\.name).filter { !read.contains($0) }
    guard unread.isEmpty else {
      throw .unsupported("attribute '\(unread[0])' is not implemented at opset \(opset)")
    }
  }

  private mutating func take(_ name: String) -> AttributeValue? {
    read.insert(name)
    return node.attribute(name)
  }

  private func wrongKind(_ name: String, _ expected: String) -> OperatorError {
    .badOperands("attribute '\(name)' should be \(expected)")
  }
}
