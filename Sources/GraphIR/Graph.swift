/// A dataflow graph in single-assignment form.
///
/// Values and nodes live in tables and are named by identifiers that stay valid while the graph is
/// edited; `order` is a topological order of the living nodes. A graph inside a node is a graph of
/// its own: what it reads from outside is listed in `captures`.
public struct Graph: Sendable {
  /// One value: an input, an initializer, a capture or the result of a node.
  public struct Value: Sendable {
    /// Unique in the graph.
    public internal(set) var name: Name
    /// What is known of it.
    public var type: ValueType
    /// The node that computes it; nil for inputs, initializers and captures.
    public internal(set) var producer: NodeID?
  }

  /// The graph's name in the file.
  public var name: Name

  /// Operator set versions by domain; ONNX's own domain is the empty string.
  public var opsets: [String: Int]

  /// Values that the caller provides, in order.
  public private(set) var inputs: [ValueID] = []

  /// Values handed to the caller, in order.
  public private(set) var outputs: [ValueID] = []

  /// Values that stand for values of the enclosing graph.
  public private(set) var captures: [ValueID] = []

  /// Constant values.
  ///
  /// One that is also an input is that input's default.
  public private(set) var initializers: [ValueID: StoredTensor] = [:]

  /// The values of `initializers` in the file's order.
  public private(set) var initializerOrder: [ValueID] = []

  /// Inputs and outputs that carry state from call to call.
  public private(set) var statePairs: [StatePair] = []

  /// The living nodes in topological order.
  public private(set) var order: [NodeID] = []

  private var values: [Value] = []
  private var nodes: [Node?] = []
  private var names: [Name: ValueID] = [:]

  /// An empty graph.
  public init(name: Name = "main_graph", opsets: [String: Int] = ["": 20]) {
    self.name = name
    self.opsets = opsets
  }

  /// The version of ONNX's own operator set.
  public var opset: Int { opsets[""] ?? 1 }
}

// MARK: - Reading

extension Graph {
  /// The number of values ever made; identifiers run from 0 to this.
  public var valueCount: Int { values.count }

  /// The number of node slots ever made, removed ones included.
  public var nodeCapacity: Int { nodes.count }

  /// Facts of a value.
  public subscript(value: ValueID) -> Value { values[Int(value.index)] }

  /// A living node; asking for a removed one is a programming error.
  public subscript(node: NodeID) -> Node {
    guard let node = nodes[Int(node.index)] else {
      preconditionFailure("node \(node.index) was removed")
    }
    return node
  }

  /// True while the node is part of the graph.
  public func contains(_ node: NodeID) -> Bool {
    node.index >= 0 && Int(node.index) < nodes.count && nodes[Int(node.index)] != nil
  }

  /// The value with a name, or nil.
  public func value(named name: Name) -> ValueID? { names[name] }

  /// The type of a value.
  public func type(of value: ValueID) -> ValueType { values[Int(value.index)].type }

  /// The tensor type of a value, or nil when it is not known to be a tensor.
  public func tensorType(of value: ValueID) -> TensorType? { self[value].type.tensor }

  /// The name of a value.
  public func name(of value: ValueID) -> Name { self[value].name }

  /// The node that computes a value, or nil.
  public func producer(of value: ValueID) -> NodeID? { self[value].producer }

  /// Graph inputs without a default.
  public var requiredInputs: [ValueID] { inputs.filter { initializers[$0] == nil } }

  /// A node's name for messages: its own, else its operator and first result.
  public func label(of node: NodeID) -> String {
    let facts = self[node]
    if !facts.name.isEmpty { return "\(facts.op) '\(facts.name)'" }
    guard let output = facts.outputs.compactMap({ $0 }).first else { return facts.op.description }
    return "\(facts.op) -> '\(name(of: output))'"
  }
}

// MARK: - Building and editing

extension Graph {
  /// A new value.
  ///
  /// A name that is taken or empty gets a number.
  public mutating func makeValue(_ name: Name, type: ValueType = .unknown) -> ValueID {
    let id = ValueID(values.count)
    let unique = uniqueName(like: name)
    values.append(Value(name: unique, type: type, producer: nil))
    names[unique] = id
    return id
  }

  /// A name that no value has: `name` itself when it is free.
  public func uniqueName(like name: Name) -> Name {
    if !name.isEmpty, names[name] == nil { return name }
    var number = name.isEmpty ? values.count : 1
    while true {
      let candidate = Name(
        bytes: name.bytes + Array((name.isEmpty ? "v" : "_").utf8) + Array("\(number)".utf8))
      if names[candidate] == nil { return candidate }
      number += 1
    }
  }

  /// A new input.
  @discardableResult
  public mutating func addInput(_ name: Name, type: ValueType) -> ValueID {
    let id = makeValue(name, type: type)
    inputs.append(id)
    return id
  }

  /// A new value that stands for one of the enclosing graph.
  @discardableResult
  public mutating func addCapture(_ name: Name, type: ValueType) -> ValueID {
    let id = makeValue(name, type: type)
    captures.append(id)
    return id
  }

  /// A new constant.
  @discardableResult
  public mutating func addInitializer(_ name: Name, _ tensor: StoredTensor) -> ValueID {
    let id = makeValue(name, type: .tensor(tensor.type))
    setInitializer(tensor, of: id)
    return id
  }

  /// Makes a value constant, or gives an input a default.
  public mutating func setInitializer(_ tensor: StoredTensor, of value: ValueID) {
    if initializers.updateValue(tensor, forKey: value) == nil { initializerOrder.append(value) }
    if values[Int(value.index)].type.tensor?.shape == nil {
      values[Int(value.index)].type = .tensor(tensor.type)
    }
  }

  /// Hands a value to the caller as the last output.
  public mutating func addOutput(_ value: ValueID) {
    outputs.append(value)
  }

  /// Replaces one output, keeping its position; a state pair that ends in it follows.
  public mutating func setOutput(_ position: Int, to value: ValueID) {
    let old = outputs[position]
    outputs[position] = value
    guard !outputs.contains(old) else { return }
    mapStateOutputs { $0 == old ? value : $0 }
  }

  /// Declares an input and an output as one piece of state.
  public mutating func addStatePair(_ pair: StatePair) {
    statePairs.append(pair)
  }

  /// Appends a node and makes it the producer of its results.
  @discardableResult
  public mutating func append(_ node: Node) -> NodeID {
    let id = add(node)
    order.append(id)
    return id
  }

  /// Adds a node without a place in the order; follow with `setOrder`.
  public mutating func add(_ node: Node) -> NodeID {
    let id = NodeID(nodes.count)
    nodes.append(node)
    for case .some(let output) in node.outputs { values[Int(output.index)].producer = id }
    return id
  }

  /// Replaces a node's facts; results that it gains or loses change producer.
  public mutating func replace(_ id: NodeID, with node: Node) {
    for case .some(let output) in self[id].outputs { values[Int(output.index)].producer = nil }
    nodes[Int(id.index)] = node
    for case .some(let output) in node.outputs { values[Int(output.index)].producer = id }
  }

  /// Removes nodes; their results lose their producer.
  public mutating func remove(_ removed: Set<NodeID>) {
    for id in removed {
      for case .some(let output) in self[id].outputs where producer(of: output) == id {
        values[Int(output.index)].producer = nil
      }
      nodes[Int(id.index)] = nil
    }
    order.removeAll { removed.contains($0) }
  }

  /// Takes a node out of the table but leaves the order to a following `setOrder`.
  public mutating func detach(_ id: NodeID) {
    for case .some(let output) in self[id].outputs where producer(of: output) == id {
      values[Int(output.index)].producer = nil
    }
    nodes[Int(id.index)] = nil
  }

  /// Rewrites every read of every node in the order, every output and the outputs of state pairs.
  public mutating func mapUses(_ transform: (ValueID) -> ValueID) {
    for id in order {
      nodes[Int(id.index)]?.mapUses(transform)
    }
    outputs = outputs.map(transform)
    mapStateOutputs(transform)
  }

  private mutating func mapStateOutputs(_ transform: (ValueID) -> ValueID) {
    for index in statePairs.indices {
      statePairs[index].output = transform(statePairs[index].output)
    }
  }

  /// Sets the execution order, which must list every living node once; `verify` checks it.
  public mutating func setOrder(_ order: [NodeID]) {
    self.order = order
  }

  /// Sets the type of a value.
  public mutating func setType(_ type: ValueType, of value: ValueID) {
    values[Int(value.index)].type = type
  }

  /// Sets the cost fact of a node.
  public mutating func setFlops(_ flops: Int?, of node: NodeID) {
    nodes[Int(node.index)]?.flops = flops
  }

  /// Gives a value another name; a taken name gets a number.
  public mutating func rename(_ value: ValueID, to name: Name) {
    names[values[Int(value.index)].name] = nil
    let unique = uniqueName(like: name)
    values[Int(value.index)].name = unique
    names[unique] = value
  }

  /// Makes every reader of `old`, the outputs included, read `new` instead.
  ///
  /// `except` lists nodes that keep reading `old`.
  public mutating func replaceUses(
    of old: ValueID, with new: ValueID, except: Set<NodeID> = []
  ) {
    for id in order where !except.contains(id) {
      guard self[id].uses.contains(old) else { continue }
      nodes[Int(id.index)]?.replaceUses(of: old, with: new)
    }
    for position in outputs.indices where outputs[position] == old { outputs[position] = new }
    mapStateOutputs { $0 == old ? new : $0 }
  }
}

extension Node {
  /// Makes the node read `new` where it read `old`, captures included.
  package mutating func replaceUses(of old: ValueID, with new: ValueID) {
    mapUses { $0 == old ? new : $0 }
  }

  /// Rewrites every value the node reads, captures included.
  package mutating func mapUses(_ transform: (ValueID) -> ValueID) {
    for position in inputs.indices {
      if let value = inputs[position] { inputs[position] = transform(value) }
    }
    mapCaptures(transform)
  }

  /// Rewrites the outer values that the node's subgraphs capture.
  package mutating func mapCaptures(_ transform: (ValueID) -> ValueID) {
    for index in attributes.indices {
      guard case .graph(var subgraph) = attributes[index].value else { continue }
      subgraph.captures = subgraph.captures.map(transform)
      attributes[index].value = .graph(subgraph)
    }
    if var facts = cache {
      facts.body.captures = facts.body.captures.map(transform)
      facts.reuse.captures = facts.reuse.captures.map(transform)
      cache = facts
    }
  }
}
