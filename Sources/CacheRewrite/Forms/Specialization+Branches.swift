import GraphIR
import Tensors

extension Specialization {
  /// The two subgraphs of a cache node or an `If`.
  struct Branches {
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
  mutating func inline(
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
  mutating func select(
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
