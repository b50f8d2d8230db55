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
    guard let dropped = plan?.dropped.flatMap({ branches.firstIndex(of: $0) }),
      let kept = all.first(where: { $0 != dropped }), let first = plan?.fromStep, step >= first
    else {
      calls = leader.map { leader in [leader] + all.filter { $0 != leader } } ?? all
      merged = nil
      return
    }
    calls = all.filter { $0 != dropped }
    merged = step == first ? (kept, dropped) : nil
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
    guard let flags = results[Name(ContractNames.computed)], flags.dataType == .bool,
      flags.elementCount == sites
    else {
      throw DiffusionError(
        "missing-report", at: ContractNames.computed,
        "the cached model does not say what it computed", category: .badModel)
    }
    computed = flags.elements(as: Bool.self)
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
