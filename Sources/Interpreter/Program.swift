import GraphIR
import Operators
import Synchronization
import Tensors
import TypeInference

/// One graph of a model, ready to be planned: dead nodes removed, operators made, and the
/// constants that plans of all shapes share.
final class Program: InferenceSource {
  let graph: Graph
  let removedNodeCount: Int
  private let operators: [(any Operator)?]
  private let children: [SubgraphKey: Program]
  private let constantFlags: [Bool]
  private let constants = Mutex(Constants())

  private struct Constants: Sendable {
    var loaded: [ValueID: Tensor] = [:]
    var folded: [ValueID: RuntimeValue] = [:]
  }

  init(_ graph: Graph, operators table: OperatorTable) throws(OperatorError) {
    // Graphs inside others are typed as they stand in their node, dead nodes included.
    var operators = [(any Operator)?](repeating: nil, count: graph.nodeCapacity)
    var children: [SubgraphKey: Program] = [:]
    for id in graph.order {
      let node = graph[id]
      do throws(OperatorError) {
        guard node.cache == nil, node.op != .cache else {
          throw OperatorError(
            "cache-node-not-lowered", "a cache node reached the interpreter",
            category: .internalFault)
        }
        operators[Int(id.index)] = try table.make(node, in: graph)
        for attribute in node.attributes {
          guard case .graph(let subgraph) = attribute.value else { continue }
          children[SubgraphKey(id, attribute.name)] = try Program(
            subgraph.graph, operators: table)
        }
      } catch {
        throw error.at(graph.label(of: id))
      }
    }
    var graph = graph
    removedNodeCount = graph.removeDeadNodes()
    var constantFlags = [Bool](repeating: false, count: graph.valueCount)
    for value in graph.initializerOrder { constantFlags[Int(value.index)] = true }
    for value in graph.inputs { constantFlags[Int(value.index)] = false }
    self.constantFlags = constantFlags
    self.graph = graph
    self.operators = operators
    self.children = children
  }

  func makeOperator(_ node: NodeID, of graph: Graph) throws(OperatorError) -> any Operator {
    guard let result = operators[Int(node.index)] else {
      throw OperatorError("unknown-node", "the node was removed", category: .internalFault)
    }
    return result
  }

  func load(_ value: ValueID, of graph: Graph) throws -> Tensor? { try constant(value) }

  func knownResult(_ value: ValueID) -> Tensor? {
    guard case .tensor(let tensor)? = folded(value) else { return nil }
    return tensor
  }

  func source(for subgraph: SubgraphKey) -> any InferenceSource { children[subgraph] ?? self }

  /// The graph inside a node.
  func child(_ key: SubgraphKey) -> Program? { children[key] }

  /// True for initializers; an input's default is not one.
  func isConstant(_ value: ValueID) -> Bool { constantFlags[Int(value.index)] }

  /// The elements of an initializer, read once.
  func constant(_ value: ValueID) throws(OperatorError) -> Tensor? {
    if let known = constants.withLock({ $0.loaded[value] }) { return known }
    guard let stored = graph.initializers[value] else { return nil }
    let tensor: Tensor
    do {
      tensor = try stored.load()
    } catch {
      throw .unreadable(error, at: "constant '\(graph.name(of: value))'")
    }
    constants.withLock { $0.loaded[value] = tensor }
    return tensor
  }

  /// Forgets the elements of initializers that no plan reads.
  func release(_ values: [ValueID]) {
    constants.withLock { constants in
      for value in values { constants.loaded[value] = nil }
    }
  }

  /// A value that depends on initializers only and was computed before.
  func folded(_ value: ValueID) -> RuntimeValue? {
    constants.withLock { $0.folded[value] }
  }

  /// Keeps a value that depends on initializers only.
  func setFolded(_ result: RuntimeValue, of value: ValueID) {
    constants.withLock { $0.folded[value] = result }
  }
}

extension Graph {
  /// Removes the nodes that no output depends on and says how many there were.
  fileprivate mutating func removeDeadNodes() -> Int {
    var isUsed = [Bool](repeating: false, count: valueCount)
    for output in outputs { isUsed[Int(output.index)] = true }
    var dead: Set<NodeID> = []
    for id in order.reversed() {
      let node = self[id]
      if node.outputs.contains(where: { $0.map { isUsed[Int($0.index)] } ?? false }) {
        for value in node.uses { isUsed[Int(value.index)] = true }
      } else {
        dead.insert(id)
      }
    }
    if !dead.isEmpty { remove(dead) }
    return dead.count
  }
}
