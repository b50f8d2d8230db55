import GraphIR

/// Who depends on whom in a graph, and which additions are residual.
///
/// Dependence is that of elements: what is computed from a shape only depends on nothing. All
/// tables are filled in one pass in execution order.
final class Dataflow {
  let graph: Graph
  let uses: UseIndex
  private let positions: [Int]

  /// For each value the graph inputs it depends on, one bit each; inputs after the 63rd share one.
  private(set) var sources: [UInt64]

  /// As `sources`, but a residual addition depends only on what it adds to.
  ///
  /// So hidden states keep the input they came from, whatever attention mixed into them.
  private(set) var lineage: [UInt64]

  /// For each value the one it is moved or scaled from, or itself.
  private(set) var origin: [ValueID]

  /// Residual additions in execution order.
  private(set) var additions: [Addition] = []

  /// For each value the residual addition that computed it, else -1.
  private var additionNumbers: [Int32]

  /// Values that residual additions add to, with those additions in execution order.
  private(set) var additionsBySpine: [ValueID: [Int]] = [:]

  /// How many values the search for residual branches may still visit.
  private var budget: Int
  private var marks: [UInt32]
  private var mark: UInt32 = 0

  /// `output = spine + branch`, where the branch is computed from `base`.
  struct Addition {
    let node: NodeID
    let output: ValueID
    /// The last value that both operands are computed from: the hidden states before.
    let base: ValueID
    /// The operand that is `base`, moved, scaled or with parallel branches already added.
    let spine: ValueID
    /// The operand that is computed from `base` through products.
    let branch: ValueID
  }

  init(_ graph: Graph, uses: UseIndex) {
    self.graph = graph
    self.uses = uses
    positions = graph.orderPositions()
    let count = graph.valueCount
    sources = [UInt64](repeating: 0, count: count)
    lineage = sources
    origin = (0..<count).map { ValueID($0) }
    additionNumbers = [Int32](repeating: -1, count: count)
    marks = [UInt32](repeating: 0, count: count)
    budget = 64 * (count + 1024)
    for (number, input) in graph.inputs.enumerated() {
      sources[input] = 1 << UInt64(min(number, 63))
      lineage[input] = sources[input]
    }
    for (number, capture) in graph.captures.enumerated() {
      sources[capture] = 1 << UInt64(min(number, 63))
      lineage[capture] = sources[capture]
    }
    for id in graph.order { visit(id) }
  }

  // MARK: Questions

  /// The place in the execution order of the node that computes a value; -1 for inputs.
  func position(of value: ValueID) -> Int {
    graph.producer(of: value).map { positions[Int($0.index)] } ?? -1
  }

  func position(of node: NodeID) -> Int { positions[Int(node.index)] }

  /// True for what depends on no input.
  func isConstant(_ value: ValueID) -> Bool { sources[value] == 0 }

  /// The residual addition that computed a value.
  func addition(computing value: ValueID) -> Int? {
    let number = additionNumbers[Int(value.index)]
    return number < 0 ? nil : Int(number)
  }

  /// The operands whose elements a node reads, captures included.
  func operands(of id: NodeID) -> [ValueID] {
    let node = graph[id]
    if OperatorClass.sizes.contains(node.op) { return [] }
    return node.op == "CastLike" ? [node.inputs.first].compactMap { $0 ?? nil } : node.uses
  }

  /// True when a value is computed from another one through a product, otherwise than by what
  /// residual branches brought into its hidden states.
  private func depends(_ value: ValueID, on source: ValueID) -> Bool {
    guard mark < .max - 2 else { return false }
    mark += 2
    let limit = position(of: source)
    var pending = [(value: value, hasProduct: false)]
    while let (value, hasProduct) = pending.popLast() {
      if value == source {
        if hasProduct { return true }
        continue
      }
      let seen = marks[Int(value.index)]
      if seen == mark || (seen == mark - 1 && !hasProduct) { continue }
      guard budget > 0, sources[value] & sources[source] == sources[source],
        let producer = graph.producer(of: value), position(of: producer) > limit
      else { continue }
      marks[Int(value.index)] = hasProduct ? mark : mark - 1
      budget -= 1
      let counts = hasProduct || OperatorClass.products.contains(graph[producer].op)
      let next =
        addition(computing: value).map { [additions[$0].spine] } ?? operands(of: producer)
      for operand in next where position(of: operand) >= limit {
        pending.append((operand, counts))
      }
    }
    return false
  }

  /// The value that this one is moved or scaled from by one operator; itself when it is not.
  func step(back value: ValueID) -> ValueID {
    guard origin[value] != value, let producer = graph.producer(of: value) else { return value }
    let target = origin[value]
    return operands(of: producer).first { origin[$0] == target } ?? target
  }
}

// MARK: - The pass

extension Dataflow {
  private func visit(_ id: NodeID) {
    let operands = operands(of: id)
    var all: UInt64 = 0
    var line: UInt64 = 0
    for operand in operands {
      all |= sources[operand]
      line |= lineage[operand]
    }
    let node = graph[id]
    let outputs = node.outputs.compactMap { $0 }
    for output in outputs {
      sources[output] = all
      lineage[output] = line
    }
    guard all != 0 else { return }
    if let moved = movedOperand(of: id, operands) {
      for output in outputs {
        origin[output] = origin[moved]
        lineage[output] = lineage[moved]
      }
    } else if OperatorClass.additions.contains(node.op), operands.count == 2,
      let output = outputs.first
    {
      add(id, operands[0], operands[1], output)
    }
  }

  /// The operand that a node only moves or scales, if there is one.
  private func movedOperand(of id: NodeID, _ operands: [ValueID]) -> ValueID? {
    let node = graph[id]
    guard let first = operands.first else { return nil }
    if OperatorClass.movements.contains(node.op) {
      return isConstant(first) ? nil : first
    }
    let isGathering =
      node.op == "Concat" || node.op == "ConcatFromSequence"
      || node.op == "SequenceConstruct"
    guard isGathering || OperatorClass.scalings.contains(node.op) else { return nil }
    if node.op == "Div" || node.op == "Sub", isConstant(first) { return nil }
    let varying = operands.filter { !isConstant($0) }
    guard let moved = varying.first else { return nil }
    if varying.count == 1 { return moved }
    guard isGathering, varying.allSatisfy({ origin[$0] == origin[moved] }) else { return nil }
    return moved
  }

  private func add(_ id: NodeID, _ a: ValueID, _ b: ValueID, _ output: ValueID) {
    let isSubtraction = graph[id].op == "Sub"
    let order =
      isSubtraction || position(of: origin[a]) <= position(of: origin[b])
      ? [(a, b), (b, a)] : [(b, a), (a, b)]
    for (spine, branch) in isSubtraction ? [(a, b)] : order {
      guard mayCarry(spine, into: output), let base = base(of: spine, branch: branch) else {
        continue
      }
      additionNumbers[Int(output.index)] = Int32(truncatingIfNeeded: additions.count)
      additionsBySpine[origin[spine], default: []].append(additions.count)
      additions.append(
        Addition(node: id, output: output, base: base, spine: spine, branch: branch))
      lineage[output] = lineage[base]
      return
    }
    let isSpine = [a, b].map { addition(computing: origin[$0]) != nil }
    if isSpine[0] != isSpine[1] { lineage[output] = lineage[isSpine[0] ? a : b] }
  }

  /// The hidden states that both operands come from, when the addition is residual.
  private func base(of spine: ValueID, branch: ValueID) -> ValueID? {
    var value = spine
    while uses.users(of: value).count < 2 {
      let next = step(back: value)
      if next != value {
        value = next
      } else if let number = addition(computing: value) {
        value = additions[number].base
      } else {
        return nil
      }
    }
    guard !isConstant(value), depends(branch, on: value) else { return nil }
    return value
  }

  /// False when an operand is broadcast, as a bias or a modulation is.
  private func mayCarry(_ operand: ValueID, into result: ValueID) -> Bool {
    guard let shape = graph.tensorType(of: operand)?.shape,
      let other = graph.tensorType(of: result)?.shape
    else { return true }
    return shape.count == other.count
      && !zip(shape, other).contains { $0.value == 1 && $1.value != 1 }
  }
}

extension [UInt64] {
  subscript(value: ValueID) -> UInt64 {
    get { self[Int(value.index)] }
    set { self[Int(value.index)] = newValue }
  }
}

extension [ValueID] {
  subscript(value: ValueID) -> ValueID {
    get { self[Int(value.index)] }
    set { self[Int(value.index)] = newValue }
  }
}
