import GraphIR

/// Residual chains that are not on the spine of the latents.
struct SideChains {
  private let flow: Dataflow
  /// Additions that belong to blocks or to the spine.
  private let taken: Set<Int>
  /// Nodes inside blocks: an addition there is part of a module.
  private let inside: Set<NodeID>

  init(_ flow: Dataflow, taken: Set<Int>, inside: [[NodeID]]) {
    self.flow = flow
    self.taken = taken
    self.inside = Set(inside.joined())
  }

  struct Found {
    /// Chains with attention that do not depend on the latents.
    var refiners: [[Branch]] = []
    /// Chains that are added to the spine.
    var control: [[Branch]] = []
  }

  /// Sorts the chains by what they do.
  ///
  /// A chain without attention counts only when it repeats itself and is added to the spine.
  mutating func find(injectedBy path: SpinePath, latents: UInt64) -> Found {
    let injected = injectedValues(path)
    var result = Found()
    var used = Set<Int>()
    for number in flow.additions.indices.reversed() where isFree(number) && !used.contains(number) {
      let end = flow.additions[number].output
      let chain = SpinePath(to: end, from: flow.lineage[end], in: flow) { value in
        flow.addition(computing: value).map { taken.contains($0) || used.contains($0) } ?? false
      }
      let members = chain.branches.filter(isFree)
      used.formUnion(members)
      used.insert(number)
      let branches = members.map { Branch($0, in: flow) }
      let forms = Set(branches.map(\.form))
      guard branches.contains(where: \.isAttention) || forms.count < branches.count else {
        continue
      }
      if members.contains(where: { injected.contains(flow.additions[$0].output) }) {
        result.control.insert(branches, at: 0)
      } else if flow.sources[end] & latents == 0, branches.contains(where: \.isAttention) {
        result.refiners.insert(branches, at: 0)
      }
    }
    return result
  }

  private func isFree(_ number: Int) -> Bool {
    !taken.contains(number) && !inside.contains(flow.additions[number].node)
  }

  /// Results of additions from which something is added to the spine.
  private func injectedValues(_ path: SpinePath) -> Set<ValueID> {
    var result = Set<ValueID>()
    var seen = Set<ValueID>()
    for case .injection(_, _, let extra) in path.steps {
      var pending = [extra]
      while let value = pending.popLast() {
        let value = flow.origin[value]
        guard seen.insert(value).inserted else { continue }
        if let number = flow.addition(computing: value) {
          if isFree(number) { result.insert(value) }
        } else if let producer = flow.graph.producer(of: value) {
          pending += flow.operands(of: producer).filter { !flow.isConstant($0) }
        }
      }
    }
    return result
  }
}
