import GraphIR

/// One residual addition looked at closely: what its branch computes, and from what.
struct Branch {
  /// The addition, as an index into `Dataflow.additions`.
  let number: Int
  /// The hidden states before.
  let base: ValueID
  /// The hidden states after, cast back if the addition was computed in another type.
  let output: ValueID
  /// The addition's place in the execution order.
  let position: Int
  /// The nodes between base and addition that depend on the base, in execution order.
  let nodes: [NodeID]
  /// What it computes.
  private(set) var kind: Module.Kind
  /// What is added.
  let addend: ValueID
  /// The branch before the gate.
  let ungated: ValueID
  /// What multiplies it before the addition.
  let gate: ValueID?
  /// What its first products read.
  let modulatedInput: ValueID?
  /// Tokens from elsewhere that its attention reads.
  let foreignTokens: [ValueID]
  /// Values outside that modulate it, with all they are moved from.
  let modulations: Set<ValueID>
  /// Equal for branches of the same form: operators, attributes and weight shapes.
  let form: Int

  var isAttention: Bool { kind != .mlp }
  /// True when a feed-forward network ends it, alone or with an attention before or beside it.
  let isFeedForward: Bool
}

extension Branch {
  /// Attention to keys of an earlier block is no cross-attention.
  ///
  /// `latents` is the input of the spine that the branch is added to.
  mutating func keepOwnKeys(of latents: UInt64, in flow: Dataflow) {
    if kind == .crossAttention, foreignTokens.allSatisfy({ flow.lineage[$0] & latents != 0 }) {
      kind = .selfAttention
    }
  }

  init(_ number: Int, in flow: Dataflow) {
    let addition = flow.additions[number]
    self.number = number
    base = addition.base
    output = flow.cast(of: addition.output)
    position = flow.position(of: addition.node)
    let region = BranchRegion(of: addition, in: flow)
    nodes = region.nodes
    let attention = AttentionAnalysis(region, in: flow)
    kind = attention.kind
    foreignTokens = attention.foreignTokens
    isFeedForward = attention.kind == .mlp || attention.hasLaterActivation
    addend = addition.branch
    (gate, ungated) = region.gate(of: addition.branch, in: flow)
    let entry = region.entry(in: flow)
    modulatedInput = entry.value
    var modulations = Set<ValueID>()
    for value in entry.modulations + [gate].compactMap({ $0 }) where !flow.isConstant(value) {
      var value = value
      while modulations.insert(value).inserted { value = flow.step(back: value) }
    }
    self.modulations = modulations
    form = BranchForm(region, in: flow).hash(of: addition.branch)
  }
}

/// The nodes of a branch that depend on its base.
struct BranchRegion {
  let base: ValueID
  /// In execution order.
  private(set) var nodes: [NodeID] = []
  /// The base and everything computed from it.
  private(set) var values: Set<ValueID>

  init(of addition: Dataflow.Addition, in flow: Dataflow) {
    base = addition.base
    values = [addition.base]
    let limit = flow.position(of: addition.base)
    var found = Set<NodeID>()
    var pending = [addition.branch]
    while let value = pending.popLast() {
      guard value != addition.base, let producer = flow.graph.producer(of: value),
        flow.position(of: producer) > limit, !flow.isConstant(value),
        found.insert(producer).inserted
      else { continue }
      pending += flow.operands(of: producer)
    }
    for id in found.sorted(by: { flow.position(of: $0) < flow.position(of: $1) })
    where flow.operands(of: id).contains(where: values.contains) {
      nodes.append(id)
      values.formUnion(flow.graph[id].outputs.compactMap { $0 })
    }
  }

  /// The multiplicand of the branch, and the branch without it.
  ///
  /// A scalar constant is a scale, not a gate.
  func gate(of branch: ValueID, in flow: Dataflow) -> (gate: ValueID?, ungated: ValueID) {
    var value = branch
    while let producer = flow.graph.producer(of: value), values.contains(value), value != base {
      let node = flow.graph[producer]
      let operands = flow.operands(of: producer)
      if node.op == "Mul", operands.count == 2 {
        let inside = operands.map(values.contains)
        guard inside[0] != inside[1] else { break }
        let other = operands[inside[0] ? 1 : 0]
        if !(flow.isConstant(other) && flow.isScalar(other)) {
          return (other, operands[inside[0] ? 0 : 1])
        }
      }
      let next = flow.step(back: value)
      guard next != value, !OperatorClass.additions.contains(node.op) else { break }
      value = next
    }
    return (nil, branch)
  }

  /// What the first products read, and which values from outside shaped it.
  ///
  /// The value is the last one that all that they read is computed from.
  func entry(in flow: Dataflow) -> (value: ValueID?, modulations: [ValueID]) {
    var parents: [ValueID: (parent: ValueID, depth: Int)] = [base: (base, 0)]
    func common(_ a: ValueID, _ b: ValueID) -> ValueID {
      var (a, b) = (a, b)
      while a != b, let first = parents[a], let second = parents[b] {
        if first.depth >= second.depth { a = first.parent } else { b = second.parent }
      }
      return a
    }
    var read: [ValueID] = []
    var modulations: [ValueID] = []
    for id in nodes {
      let node = flow.graph[id]
      let operands = flow.operands(of: id)
      let clean = operands.filter { parents[$0] != nil }
      guard let first = clean.first else { continue }
      if OperatorClass.products.contains(node.op) {
        read += clean
        continue
      }
      if OperatorClass.scalings.contains(node.op) {
        modulations += operands.filter { !values.contains($0) }
      }
      guard clean.count == operands.filter(values.contains).count else { continue }
      let parent = clean.dropFirst().reduce(first, common)
      let depth = (parents[parent]?.depth ?? 0) + 1
      for case .some(let output) in node.outputs { parents[output] = (parent, depth) }
    }
    guard let first = read.first else { return (nil, modulations) }
    let value = read.dropFirst().reduce(first, common)
    return (value == base && Set(read).count > 1 ? nil : value, modulations)
  }
}

extension Dataflow {
  /// The value after the casts that stand alone between this one and its readers.
  fileprivate func cast(of value: ValueID) -> ValueID {
    let casts: Set<OpKey> = ["Cast", "CastLike", "Identity"]
    var value = value
    while !uses.isOutput(value), let user = uses.users(of: value).first,
      uses.users(of: value).count == 1, casts.contains(graph[user].op),
      graph[user].inputs.first == value, case .some(.some(let output)) = graph[user].outputs.first
    {
      value = output
    }
    return value
  }

  /// True for a tensor of one element, as far as is known.
  func isScalar(_ value: ValueID) -> Bool {
    graph.tensorType(of: value)?.shape?.allSatisfy { $0.value == 1 } ?? false
  }
}
