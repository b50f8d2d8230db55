public import GraphIR

/// The only door through which rules change a graph.
///
/// Edits between `begin` and `commit` belong to one match. A match that touches a node which an
/// earlier match of the same round removed is dropped whole.
public struct GraphEditor: Sendable {
  /// The graph as the round found it: every node that a match names can be read here.
  public let original: Graph
  private var graph: Graph
  private var removed: Set<NodeID> = []
  private var insertions: [NodeID: [NodeID]] = [:]
  private var pending: [Edit] = []
  private var replacements: [ValueID: ValueID] = [:]

  private enum Edit {
    case insert(Node, before: NodeID)
    case remove(NodeID)
    case redirect(ValueID, ValueID)
    case initialize(ValueID, StoredTensor)
  }

  package init(_ graph: Graph) {
    original = graph
    self.graph = graph
  }

  /// The name of a value, one that this round made included.
  public func name(of value: ValueID) -> Name { graph.name(of: value) }

  /// A fresh value for a result of a new node.
  public mutating func makeValue(like name: Name, type: ValueType) -> ValueID {
    graph.makeValue(name, type: type)
  }

  /// A new constant.
  public mutating func addInitializer(_ name: Name, _ tensor: StoredTensor) -> ValueID {
    let value = graph.makeValue(name, type: .tensor(tensor.type))
    pending.append(.initialize(value, tensor))
    return value
  }

  /// Places a new node directly before an existing one.
  public mutating func insert(_ node: Node, before anchor: NodeID) {
    pending.append(.insert(node, before: anchor))
  }

  /// Removes a node; its results must be redirected or redefined by the same match.
  public mutating func remove(_ node: NodeID) {
    pending.append(.remove(node))
  }

  /// Makes all readers of `old`, the graph outputs included, read `new`.
  public mutating func redirect(_ old: ValueID, to new: ValueID) {
    pending.append(.redirect(old, new))
  }

  mutating func begin() {
    pending = []
  }

  mutating func commit() -> Bool {
    let touched = pending.compactMap { edit -> NodeID? in
      switch edit {
      case .insert(_, let anchor): anchor
      case .remove(let node): node
      case .redirect, .initialize: nil
      }
    }
    guard touched.allSatisfy({ !removed.contains($0) }) else { return false }
    for case .remove(let node) in pending {
      removed.insert(node)
      graph.detach(node)
    }
    for edit in pending {
      switch edit {
      case .insert(let node, let anchor): insertions[anchor, default: []].append(graph.add(node))
      case .redirect(let old, let new): replacements[old] = new
      case .initialize(let value, let tensor): graph.setInitializer(tensor, of: value)
      case .remove: continue
      }
    }
    return !pending.isEmpty
  }

  mutating func finish() -> Graph {
    var order: [NodeID] = []
    for id in graph.order {
      order += insertions[id] ?? []
      if !removed.contains(id) { order.append(id) }
    }
    graph.setOrder(order)
    graph.mapUses { value in
      var value = value
      while let next = replacements[value] { value = next }
      return value
    }
    return graph
  }
}
