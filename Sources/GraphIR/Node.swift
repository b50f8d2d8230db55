/// Where a node stands in the file it came from, so that a writer can move the original message.
public struct Origin: Hashable, Sendable {
  /// The position in the file's main graph.
  public let index: Int

  /// The node at a position of the file's main graph.
  public init(index: Int) {
    self.index = index
  }
}

/// One application of an operator.
public struct Node: Sendable {
  /// The operator.
  public var op: OpKey

  /// The name, often empty or not unique; only for messages and labels.
  public var name: Name

  /// The operands; nil where an optional one is absent.
  public var inputs: [ValueID?]

  /// The results; nil where an optional one is absent.
  public var outputs: [ValueID?]

  /// The attributes in the file's order.
  public var attributes: [Attribute]

  /// The module path that the exporter recorded (`pkg.torch.onnx.name_scopes`), outermost first.
  public var scopes: [String]

  /// Where the node came from; nil for new nodes.
  public var origin: Origin?

  /// Floating-point operations of one execution, a multiply-add counting 2; nil while unknown.
  ///
  /// Filled for MatMul, Gemm, Conv and attention; other operators count 0.
  public var flops: Int?

  /// What makes this a cache node; nil for every other operator.
  public var cache: CacheNode?

  /// A node applying `op`.
  public init(
    _ op: OpKey, name: Name = "", inputs: [ValueID?], outputs: [ValueID?],
    attributes: [Attribute] = [], scopes: [String] = [], origin: Origin? = nil,
    cache: CacheNode? = nil
  ) {
    self.op = op
    self.name = name
    self.inputs = inputs
    self.outputs = outputs
    self.attributes = attributes
    self.scopes = scopes
    self.origin = origin
    self.cache = cache
  }

  /// The value of an attribute, or nil.
  public func attribute(_ name: String) -> AttributeValue? {
    attributes.first { $0.name == name }?.value
  }

  /// All graphs the node owns: those of its attributes, and the two of a cache node.
  public var subgraphs: [Subgraph] {
    var graphs: [Subgraph] = []
    for attribute in attributes {
      if case .graph(let subgraph) = attribute.value { graphs.append(subgraph) }
    }
    if let cache { graphs += [cache.body, cache.reuse] }
    return graphs
  }

  /// Every value the node reads: operands, then what its subgraphs capture.
  public var uses: [ValueID] {
    let operands = inputs.compactMap { $0 }
    guard
      cache != nil
        || attributes.contains(where: { if case .graph = $0.value { true } else { false } })
    else { return operands }
    return operands + subgraphs.flatMap(\.captures)
  }
}

/// A graph inside a node, with the outer values it reads made explicit.
public struct Subgraph: Sendable {
  /// The graph.
  ///
  /// `graph.captures[i]` stands for the outer value `captures[i]`.
  public var graph: Graph

  /// Values of the enclosing graph, parallel to `graph.captures`.
  public var captures: [ValueID]

  /// A subgraph whose captures are listed pairwise.
  public init(graph: Graph, captures: [ValueID]) {
    precondition(graph.captures.count == captures.count, "every capture needs an outer value")
    self.graph = graph
    self.captures = captures
  }
}
