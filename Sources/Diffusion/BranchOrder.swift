import CacheContract
import GraphIR
import Tensors

/// Which branches of guidance a step calls, and in which order, as a cached model's manifest asks.
struct BranchOrder {
  /// The calls, as indices into the branches.
  let calls: [Int]
  /// The branch whose decisions the others follow.
  let leader: Int?
  /// At the first step without it, the branch that goes on and the one that is dropped.
  let merged: (kept: Int, dropped: Int)?

  init(_ plan: Manifest.Branches?, among branches: [String], step: Int) {
    let all = Array(branches.indices)
    leader = plan?.leader.flatMap { branches.firstIndex(of: $0) }
    let first = leader ?? (plan?.uncond == nil ? nil : branches.firstIndex(of: "cond"))
    guard let dropped = plan?.dropped.flatMap({ branches.firstIndex(of: $0) }),
      let kept = all.first(where: { $0 != dropped }), let gate = plan?.fromStep, step >= gate
    else {
      calls = first.map { first in [first] + all.filter { $0 != first } } ?? all
      merged = nil
      return
    }
    calls = all.filter { $0 != dropped }
    merged = step == gate ? (kept, dropped) : nil
  }
}

/// What the sites of a cached model did in one call.
struct Report {
  /// Whether each computed.
  let computed: [Bool]
  /// What each compared, NaN where a rule has no metric.
  let metric: [Float]

  /// A call that did not take place.
  init(sites: Int) {
    computed = [Bool](repeating: false, count: sites)
    metric = [Float](repeating: .nan, count: sites)
  }

  init(_ results: [Name: Tensor], sites: Int) throws(DiffusionError) {
    let flags = results[Name(ContractNames.computed)]
    let fits = flags.map { $0.dataType == .bool && $0.elementCount == sites }
    guard fits ?? (sites == 0) else {
      throw DiffusionError(
        "missing-report", at: ContractNames.computed,
        "the cached model does not say what it computed", category: .badModel)
    }
    computed = flags?.elements(as: Bool.self) ?? []
    if let numbers = results[Name(ContractNames.metric)], numbers.dataType == .float32,
      numbers.elementCount == sites
    {
      metric = numbers.elements(as: Float.self)
    } else {
      metric = [Float](repeating: .nan, count: sites)
    }
  }
}

extension Tensor {
  /// A float32 tensor of the same shape with one number everywhere.
  func filled(with number: Float) -> Tensor {
    Tensor([Float](repeating: number, count: elementCount), shape: shape)
  }
}
