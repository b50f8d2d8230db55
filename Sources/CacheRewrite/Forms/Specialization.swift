import GraphIR
import Tensors

/// A cached graph in which some conditions are known beforehand.
///
/// What the rewrite added is simplified: a cache node or `If` whose condition is known becomes the
/// branch that it takes, a choice of values becomes the chosen value. Nodes of the original are
/// never touched. Other `If`s of the rewrite become choices between both results, because these
/// forms are for runtimes without `If`.
struct Specialization {
  private(set) var graph: Graph
  /// What is known of bool scalars.
  private var facts: [ValueID: Bool]
  private var replacements: [ValueID: ValueID] = [:]
  private var order: [NodeID] = []
  /// Results that an inlined branch will give; no inner value takes their place by name.
  private var reserved: Set<ValueID> = []
  private var constants: [Bool: ValueID] = [:]
  private let kept: Set<NodeID>
  private let inputs: Set<ValueID>
  private let outputs: Set<ValueID>
  private let place: String

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

  private mutating func learn(_ value: ValueID, _ stored: StoredTensor) {
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

  // MARK: - Branches

  /// The two subgraphs of a cache node or an `If`.
  private struct Branches {
    let then: Subgraph
    let other: Subgraph

    init?(_ node: Node) {
      if let cache = node.cache {
        (then, other) = (cache.body, cache.reuse)
      } else if node.op == "If", case .graph(let then)? = node.attribute("then_branch"),
        case .graph(let other)? = node.attribute("else_branch")
      {
        (self.then, self.other) = (then, other)
      } else {
        return nil
      }
    }
  }

  /// Puts the nodes of a branch into the graph; its results become the given values.
  private mutating func inline(
    _ branch: Subgraph, as results: [ValueID?]
  ) -> [NodeID] {
    let inner = branch.graph
    var map: [ValueID: ValueID] = [:]
    for (capture, outer) in zip(inner.captures, branch.captures) { map[capture] = resolved(outer) }
    for value in inner.initializerOrder {
      guard let stored = inner.initializers[value] else { continue }
      let copy = graph.addInitializer(inner.name(of: value), stored)
      learn(copy, stored)
      map[value] = copy
    }
    for (value, result) in zip(inner.outputs, results) {
      guard let result, map[value] == nil, inner.producer(of: value) != nil else { continue }
      reserved.insert(result)
      map[value] = result
    }
    var added: [NodeID] = []
    for innerID in inner.order {
      var node = inner[innerID]
      node.mapUses { map[$0] ?? $0 }
      node.outputs = node.outputs.map { value in
        guard let value else { return nil }
        let outer = map[value] ?? home(of: inner.name(of: value))
        map[value] = outer
        if graph.type(of: outer) == .unknown || !reserved.contains(outer) {
          graph.setType(inner.type(of: value), of: outer)
        }
        return outer
      }
      added.append(graph.add(node))
    }
    for (value, result) in zip(inner.outputs, results) {
      guard let result, let made = map[value], made != result else { continue }
      replacements[result] = made
    }
    return added
  }

  /// The value that a node had in the original, when it has gone from there, else a new one.
  private mutating func home(of name: Name) -> ValueID {
    if let old = graph.value(named: name), graph.producer(of: old) == nil,
      graph.initializers[old] == nil, !reserved.contains(old), replacements[old] == nil,
      facts[old] == nil, !inputs.contains(old)
    {
      return old
    }
    return graph.makeValue(name)
  }

  /// Computes both branches and chooses, for conditions that only the run knows.
  private mutating func select(
    _ condition: ValueID, _ branches: Branches, _ results: [ValueID?]
  ) throws(CacheRewriteError) -> [NodeID] {
    var sides: [[ValueID?]] = []
    var added: [NodeID] = []
    for (branch, suffix) in [(branches.then, "then"), (branches.other, "else")] {
      let values = zip(branch.graph.outputs, results).map { value, result -> ValueID? in
        guard let result else { return nil }
        let name = Name(bytes: graph.name(of: result).bytes + Array("/\(suffix)".utf8))
        return graph.makeValue(name, type: branch.graph.type(of: value))
      }
      added += inline(branch, as: values)
      sides.append(values)
    }
    for (position, result) in results.enumerated() {
      guard let result, let then = sides[0][position], let other = sides[1][position] else {
        continue
      }
      let type = graph.type(of: result)
      guard canAgree(then, other) else {
        throw CacheRewriteError(
          "branches-differ", at: place,
          "it chooses between tensors of different shapes while it runs, which takes an If",
          hint: "write the form 'if'")
      }
      added += choice(condition, then, other, result, isBool: type.tensor?.dataType == .bool)
    }
    return added
  }

  /// False when two values are known to differ in rank or size.
  private func canAgree(_ a: ValueID, _ b: ValueID) -> Bool {
    guard let a = graph.tensorType(of: a)?.shape, let b = graph.tensorType(of: b)?.shape else {
      return true
    }
    return a.count == b.count
      && zip(a, b).allSatisfy { $0.value == nil || $1.value == nil || $0 == $1 }
  }

  /// `Where`, or for bools, which not every runtime takes there, the same in logic.
  private mutating func choice(
    _ condition: ValueID, _ then: ValueID, _ other: ValueID, _ result: ValueID, isBool: Bool
  ) -> [NodeID] {
    let name = graph.name(of: result)
    guard isBool else {
      return [
        graph.add(Node("Where", name: name, inputs: [condition, then, other], outputs: [result]))
      ]
    }
    let type = graph.type(of: result)
    let parts = ["no", "first", "second"].map {
      graph.makeValue(Name(bytes: name.bytes + Array("/\($0)".utf8)), type: type)
    }
    return [
      Node("Not", name: graph.name(of: parts[0]), inputs: [condition], outputs: [parts[0]]),
      Node("And", name: graph.name(of: parts[1]), inputs: [condition, then], outputs: [parts[1]]),
      Node("And", name: graph.name(of: parts[2]), inputs: [parts[0], other], outputs: [parts[2]]),
      Node("Or", name: name, inputs: [parts[1], parts[2]], outputs: [result]),
    ].map { graph.add($0) }
  }
}
