import GraphIR

/// The way of hidden states from an input to a value, by residual additions and what lies between.
struct SpinePath {
  enum Step {
    /// A residual branch is added.
    case branch(Int)
    /// Something that is not computed from these hidden states is added, or earlier hidden states.
    case injection(NodeID, result: ValueID, extra: ValueID)
    /// Any other operator.
    case passage(NodeID)
  }

  /// From the input on.
  private(set) var steps: [Step] = []

  /// The residual branches on the way.
  var branches: [Int] {
    steps.compactMap { if case .branch(let number) = $0 { number } else { nil } }
  }

  /// Walks back from a value along what came from the inputs in `sources`.
  ///
  /// Ends at an input, or at a value for which `isEnd` holds.
  init(
    to end: ValueID, from sources: UInt64, in flow: Dataflow, until isEnd: (ValueID) -> Bool
  ) {
    var reversed: [Step] = []
    var value = flow.origin[end]
    while !isEnd(value) {
      if let number = flow.addition(computing: value) {
        let addition = flow.additions[number]
        if flow.isOuter(addition, sources) {
          reversed.append(
            .injection(addition.node, result: addition.output, extra: addition.spine))
          value = flow.origin[addition.branch]
        } else {
          reversed.append(.branch(number))
          value = flow.origin[addition.spine]
        }
        continue
      }
      guard let producer = flow.graph.producer(of: value),
        let next = flow.mainOperand(of: producer, sources)
      else { break }
      let others = flow.operands(of: producer).filter { $0 != next && !flow.isConstant($0) }
      let isOnChain =
        flow.addition(computing: flow.origin[next]) != nil || flow.additionsBySpine[value] != nil
      if isOnChain, OperatorClass.additions.contains(flow.graph[producer].op),
        let extra = others.first
      {
        reversed.append(.injection(producer, result: value, extra: extra))
      } else {
        reversed.append(.passage(producer))
      }
      value = flow.origin[next]
    }
    steps = reversed.reversed()
  }
}

extension Dataflow {
  /// The operand through which hidden states came: the one computed last of those that descend from
  /// the given inputs; for additions, the one on a residual chain.
  fileprivate func mainOperand(of id: NodeID, _ sources: UInt64) -> ValueID? {
    let operands = operands(of: id)
    var candidates = operands.filter { lineage[$0] & sources != 0 }
    if candidates.isEmpty { candidates = operands.filter { self.sources[$0] & sources != 0 } }
    if candidates.count > 1, OperatorClass.additions.contains(graph[id].op) {
      let chained = candidates.filter { addition(computing: origin[$0]) != nil }
      if chained.count == 1 { return chained[0] }
    }
    return candidates.max { position(of: origin[$0]) < position(of: origin[$1]) }
  }

  /// True when the branch of an addition holds a residual chain of its own from the same base: then
  /// the addition is a long skip around that chain.
  fileprivate func isOuter(_ addition: Addition, _ sources: UInt64) -> Bool {
    let limit = position(of: addition.base)
    var value = origin[addition.branch]
    var count = 0
    while position(of: value) > limit {
      if let number = self.addition(computing: value) {
        count += 1
        if count > 1 { return true }
        value = origin[additions[number].spine]
      } else if let producer = graph.producer(of: value),
        let next = mainOperand(of: producer, sources)
      {
        value = origin[next]
      } else {
        return false
      }
    }
    return false
  }
}
