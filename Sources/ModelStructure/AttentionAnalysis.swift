import GraphIR

/// Finds the attentions of a branch and where their keys come from.
struct AttentionAnalysis {
  /// What the branch computes.
  let kind: Module.Kind
  /// Tokens from outside the branch's own hidden states that an attention reads.
  let foreignTokens: [ValueID]
  /// True when an activation stands beside or after the attentions.
  let hasLaterActivation: Bool

  init(_ region: BranchRegion, in flow: Dataflow) {
    var scores = Self.scores(region, in: flow)
    let products = region.nodes.filter { Self.isDynamicProduct($0, in: flow) }
    let hasSoftmax = region.nodes.contains { flow.graph[$0].op == "Softmax" }
    if scores.isEmpty, !hasSoftmax { scores = products }
    guard !scores.isEmpty else {
      kind = .mlp
      foreignTokens = []
      hasLaterActivation = false
      return
    }
    var foreign: [ValueID] = []
    var crossing = 0
    for id in scores {
      let outside = flow.operands(of: id).prefix(3).filter {
        region.isForeign($0, in: flow)
      }
      if !outside.isEmpty { crossing += 1 }
      foreign += outside
    }
    let isJoint = Self.join(region, before: scores, in: flow, &foreign)
    foreignTokens = foreign
    let activations = Self.activations(of: region, scores: scores, in: flow)
    hasLaterActivation = activations.after || activations.beside
    if activations.beside {
      kind = .parallel
    } else if isJoint || (crossing > 0 && crossing < scores.count) {
      kind = .jointAttention
    } else {
      kind = crossing > 0 ? .crossAttention : .selfAttention
    }
  }

  /// Products of two values that are no weights.
  private static func isDynamicProduct(_ id: NodeID, in flow: Dataflow) -> Bool {
    guard OperatorClass.products.contains(flow.graph[id].op) else { return false }
    return flow.operands(of: id).prefix(2).filter { !flow.isConstant($0) }.count == 2
  }

  /// The products whose results a softmax weighs, and whole attention operators.
  private static func scores(_ region: BranchRegion, in flow: Dataflow) -> [NodeID] {
    var result: [NodeID] = []
    for id in region.nodes {
      let node = flow.graph[id]
      if OperatorClass.attentions.contains(node.op) { result.append(id) }
      guard node.op == "Softmax" else { continue }
      var pending = flow.operands(of: id).prefix(1).map { $0 }
      var seen = Set<ValueID>()
      while let value = pending.popLast() {
        guard region.values.contains(value), value != region.base, seen.insert(value).inserted,
          let producer = flow.graph.producer(of: value)
        else { continue }
        if isDynamicProduct(producer, in: flow) {
          result.append(producer)
        } else if !OperatorClass.products.contains(flow.graph[producer].op) {
          pending += flow.operands(of: producer)
        }
      }
    }
    return result
  }

  /// True when tokens from outside are concatenated with those of the branch before an attention.
  private static func join(
    _ region: BranchRegion, before scores: [NodeID], in flow: Dataflow,
    _ foreign: inout [ValueID]
  ) -> Bool {
    var result = false
    var seen = Set<NodeID>()
    var pending = scores
    while let id = pending.popLast() {
      guard seen.insert(id).inserted else { continue }
      let operands = flow.operands(of: id)
      let inside = operands.filter(region.values.contains)
      if flow.graph[id].op == "Concat" || flow.graph[id].op == "ScatterND" {
        let outside = operands.filter { region.isForeign($0, in: flow) }
        if outside.contains(where: { flow.isComputedByProduct($0) }) {
          result = true
          foreign += outside
        }
      }
      pending += inside.filter { $0 != region.base }.compactMap(flow.graph.producer(of:))
    }
    return result
  }

  /// Whether activations stand beside the attentions, or after them.
  private static func activations(
    of region: BranchRegion, scores: [NodeID], in flow: Dataflow
  ) -> (beside: Bool, after: Bool) {
    let cores = Set(scores)
    var after = Set<ValueID>()
    for id in region.nodes
    where cores.contains(id) || flow.operands(of: id).contains(where: after.contains) {
      after.formUnion(flow.graph[id].outputs.compactMap { $0 })
    }
    var before = cores
    var pending = scores
    while let id = pending.popLast() {
      for value in flow.operands(of: id) where region.values.contains(value) {
        guard value != region.base, let producer = flow.graph.producer(of: value),
          before.insert(producer).inserted
        else { continue }
        pending.append(producer)
      }
    }
    var result = (beside: false, after: false)
    for id in region.nodes where !before.contains(id) && isActivation(id, in: flow) {
      if flow.operands(of: id).contains(where: after.contains) {
        result.after = true
      } else {
        result.beside = true
      }
    }
    return result
  }

  private static func isActivation(_ id: NodeID, in flow: Dataflow) -> Bool {
    let node = flow.graph[id]
    if OperatorClass.activations.contains(node.op) { return true }
    guard node.op == "Sigmoid", let input = node.inputs.first, let input,
      let output = node.outputs.first, let output
    else { return false }
    return flow.uses.users(of: output).contains { user in
      flow.graph[user].op == "Mul" && flow.graph[user].inputs.contains(input)
    }
  }
}

extension BranchRegion {
  /// True for what is not computed from the base, weights aside.
  fileprivate func isForeign(_ value: ValueID, in flow: Dataflow) -> Bool {
    !values.contains(value) && !flow.isConstant(value)
  }
}

extension Dataflow {
  /// True when a product stands behind a value, beyond moves, norms and other arithmetic.
  fileprivate func isComputedByProduct(_ value: ValueID) -> Bool {
    var value = value
    for _ in 0..<64 {
      guard let producer = graph.producer(of: value) else { return false }
      if OperatorClass.products.contains(graph[producer].op) { return true }
      guard
        let next = operands(of: producer).filter({ !isConstant($0) })
          .max(by: { position(of: $0) < position(of: $1) })
      else { return false }
      value = next
    }
    return false
  }
}
