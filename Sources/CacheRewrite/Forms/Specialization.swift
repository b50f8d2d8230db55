import GraphIR
import Tensors

/// A cached graph in which some conditions are known beforehand.
///
/// What the rewrite added is simplified: a cache node or `If` whose condition is known becomes the
/// branch that it takes, a choice of values becomes the chosen value. Nodes of the original are
/// never touched. Other `If`s of the rewrite become choices between both results, because these
/// forms are for runtimes without `If`.
struct Specialization {
  var graph: Graph
  /// What is known of bool scalars.
  var facts: [ValueID: Bool]
  var replacements: [ValueID: ValueID] = [:]
  private var order: [NodeID] = []
  /// Results that an inlined branch will give; no inner value takes their place by name.
  var reserved: Set<ValueID> = []
  private var constants: [Bool: ValueID] = [:]
  private let kept: Set<NodeID>
  let inputs: Set<ValueID>
  private let outputs: Set<ValueID>
  let place: String

  /// Simplifies a graph.
  ///
  /// - Parameters:
  ///   - graph: a graph after `WrapBlocks`, or a part of one
  ///   - facts: known conditions
  ///   - kept: nodes that stay as they are even when their condition is known
  ///   - place: the rule or site, for errors
  /// - Throws: `CacheRewriteError` when a choice cannot do without an `If`
  init(
    _ graph: Graph, knowing facts: [ValueID: Bool], keeping kept: Set<NodeID> = [],
    place: String
  ) throws(CacheRewriteError) {
    self.graph = graph
    self.facts = facts
    self.kept = kept
    inputs = Set(graph.inputs)
    outputs = Set(graph.outputs)
    self.place = place
    for (value, stored) in graph.initializers { learn(value, stored) }
    try simplify()
  }

  /// What is known of a condition.
  func fact(_ value: ValueID) -> Bool? { facts[resolved(value)] ?? facts[value] }

  /// The value that has come in the place of another.
  func resolved(_ value: ValueID) -> ValueID {
    var value = value
    while let next = replacements[value] { value = next }
    return value
  }

  // MARK: - The walk

  private mutating func simplify() throws(CacheRewriteError) {
    var pending = Array(graph.order.reversed())
    while let id = pending.popLast() {
      var node = graph[id]
      node.mapUses { resolved($0) }
      guard node.origin == nil else {
        keep(node, id)
        continue
      }
      if kept.contains(id) {
        keep(withConstants(node), id)
        continue
      }
      if let branches = Branches(node), let condition = node.inputs.first ?? nil {
        graph.detach(id)
        let added =
          if let known = facts[condition] {
            inline(known ? branches.then : branches.other, as: node.outputs)
          } else {
            try select(condition, branches, node.outputs)
          }
        pending += added.reversed()
        continue
      }
      if fold(node) {
        graph.detach(id)
        continue
      }
      keep(withConstants(node), id)
    }
    graph.setOrder(order)
    handOutReplaced()
  }

  private mutating func keep(_ node: Node, _ id: NodeID) {
    graph.replace(id, with: node)
    order.append(id)
  }

  /// Outputs keep their names: what came in the place of one is handed out by an Identity.
  private mutating func handOutReplaced() {
    for output in Set(graph.outputs).sorted() {
      let value = resolved(output)
      let known = facts[output].map { constant($0) }
      guard value != output || (known != nil && graph.producer(of: output) == nil) else { continue }
      replacements[output] = nil
      graph.append(
        Node("Identity", name: graph.name(of: output), inputs: [known ?? value], outputs: [output]))
    }
  }

  /// A node that reads constants where it read what is known.
  private mutating func withConstants(_ node: Node) -> Node {
    var node = node
    var known: [ValueID: ValueID] = [:]
    for value in node.uses where graph.initializers[value] == nil {
      if let fact = facts[value] { known[value] = constant(fact) }
    }
    node.mapUses { known[$0] ?? $0 }
    return node
  }

  private mutating func constant(_ value: Bool) -> ValueID {
    if let known = constants[value] { return known }
    let made = graph.constant([value], shape: .scalar, name: Name("ditcache/constant/\(value)"))
    constants[value] = made
    facts[made] = value
    return made
  }

  mutating func learn(_ value: ValueID, _ stored: StoredTensor) {
    guard stored.dataType == .bool, stored.shape.rank == 0, let tensor = try? stored.load() else {
      return
    }
    facts[value] = tensor.elements(as: Bool.self).first
  }

  // MARK: - Single nodes

  /// True when the node's result is known or another value stands in for it.
  private mutating func fold(_ node: Node) -> Bool {
    guard node.outputs.count == 1, let output = node.outputs[0] else { return false }
    if facts[output] != nil { return true }
    let operands = node.inputs.compactMap { $0 }
    switch (node.op, operands.count) {
    case ("Identity", 1) where !outputs.contains(output):
      replacements[output] = operands[0]
    case ("Not", 1):
      guard let fact = facts[operands[0]] else { return false }
      facts[output] = !fact
    case ("And", 2), ("Or", 2):
      // What decides alone: false for And, true for Or.
      let decisive = node.op == "Or"
      let known = operands.map { facts[$0] }
      if known.contains(decisive) {
        facts[output] = decisive
      } else if known[0] != nil, known[1] != nil {
        facts[output] = !decisive
      } else if known[0] != nil {
        replacements[output] = operands[1]
      } else if known[1] != nil {
        replacements[output] = operands[0]
      } else {
        return false
      }
    case ("Where", 3):
      guard let fact = facts[operands[0]] else { return false }
      let chosen = fact ? operands[1] : operands[2]
      guard graph.tensorType(of: chosen)?.shape == graph.tensorType(of: output)?.shape else {
        return false
      }
      replacements[output] = chosen
    case ("Unsqueeze", 2):
      guard let producer = graph.producer(of: operands[0]), graph[producer].op == "Squeeze",
        graph[producer].inputs.count == 2, graph[producer].inputs[1] == operands[1],
        let whole = graph[producer].inputs[0]
      else { return false }
      replacements[output] = whole
    default:
      return false
    }
    return true
  }
}
