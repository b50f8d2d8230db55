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
  private let original: Program?
  private let inferred: [ValueFact?]

  private struct Constants: Sendable {
    var loaded: [ValueID: Tensor] = [:]
    var folded: [ValueID: RuntimeValue] = [:]
    var prepared: [ValueID: [String: Tensor]] = [:]
  }

  /// An initializer and the program that keeps it for all plans and all graphs that read it.
  struct Origin: Hashable {
    let program: Program
    let value: ValueID

    static func == (a: Origin, b: Origin) -> Bool {
      a.program === b.program && a.value == b.value
    }

    func hash(into hasher: inout Hasher) {
      hasher.combine(ObjectIdentifier(program))
      hasher.combine(value)
    }
  }

  /// A program.
  ///
  /// `original` has the same values but those that were made for this graph, and shares its
  /// constants; `facts` are those of the original's values for the same inputs.
  init(
    _ graph: Graph, operators table: OperatorTable, original: Program? = nil,
    facts: GraphFacts? = nil
  ) throws(OperatorError) {
    self.original = original
    inferred = facts?.values ?? []
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
            subgraph.graph, operators: table,
            original: original?.child(SubgraphKey(id, attribute.name)),
            facts: try? facts?.subgraphs[SubgraphKey(id, attribute.name)]?.get())
        }
      } catch {
        throw error.at(graph.label(of: id))
      }
    }
    var graph = graph
    removedNodeCount = graph.removeDeadNodes() + (original?.removedNodeCount ?? 0)
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
    if case .tensor(let tensor)? = folded(value) { return tensor }
    return Int(value.index) < inferred.count ? inferred[Int(value.index)]?.constant : nil
  }

  func source(for subgraph: SubgraphKey) -> any InferenceSource { children[subgraph] ?? self }

  /// The graph inside a node.
  func child(_ key: SubgraphKey) -> Program? { children[key] }

  /// True for initializers; an input's default is not one.
  func isConstant(_ value: ValueID) -> Bool { constantFlags[Int(value.index)] }

  /// Where an initializer is kept; nil for other values.
  func origin(of value: ValueID) -> Origin? {
    guard isConstant(value) else { return nil }
    return owner(of: value)?.origin(of: value) ?? Origin(program: self, value: value)
  }

  /// The elements of an initializer as an operator wants them, computed once, in place of the
  /// elements as they are; nil when it takes these.
  func prepared(
    _ value: ValueID, by preparing: any PreparingOperator
  ) throws(OperatorError) -> Tensor? {
    let key = preparing.preparation
    if let known = constants.withLock({ $0.prepared[value]?[key] }) { return known }
    let wasLoaded = constants.withLock { $0.loaded[value] != nil }
    guard let stored = try constant(value), let result = try preparing.prepare(stored) else {
      return nil
    }
    constants.withLock { constants in
      constants.prepared[value, default: [:]][key] = result
      if !wasLoaded { constants.loaded[value] = nil }
    }
    return result
  }

  /// The elements of an initializer, read once.
  func constant(_ value: ValueID) throws(OperatorError) -> Tensor? {
    if let original = owner(of: value) { return try original.constant(value) }
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
    original?.release(values.filter { owner(of: $0) != nil })
    constants.withLock { constants in
      for value in values { constants.loaded[value] = nil }
    }
  }

  /// A value that depends on initializers only and was computed before.
  func folded(_ value: ValueID) -> RuntimeValue? {
    if let original = owner(of: value) { return original.folded(value) }
    return constants.withLock { $0.folded[value] }
  }

  /// Keeps a value that depends on initializers only.
  func setFolded(_ result: RuntimeValue, of value: ValueID) {
    if let original = owner(of: value) { return original.setFolded(result, of: value) }
    constants.withLock { $0.folded[value] = result }
  }

  /// The program that a value's constant belongs to; nil for this one.
  private func owner(of value: ValueID) -> Program? {
    guard let original, Int(value.index) < original.graph.valueCount else { return nil }
    return original
  }
}
