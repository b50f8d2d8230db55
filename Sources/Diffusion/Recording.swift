import Foundation
public import Tensors

/// Everything a denoising run computed.
public struct Recording: Sendable {
  /// The calls of a step, in order: `cond`; `uncond`, `cond`; or `batched`.
  public let branches: [String]
  /// The model's outputs before guidance, (S, C, B', …).
  public let modelOutputs: Tensor
  /// The latents before each step and after the last, (S + 1, B, …).
  public let latents: Tensor
  /// The latents after the last step, (B, …).
  public let final: Tensor
  /// Whether each site computed, (S, C, sites); nil for a model without cache.
  public let computed: Tensor?
  /// Each site's metric, (S, C, sites), NaN where a rule has none; nil for a model without cache.
  public let metric: Tensor?
  /// Whether each call took place, (S, C) in row-major order; a plan of branches may drop some.
  public let tookPlace: [Bool]
  /// The model that took each step, 0 for high noise and 1 for low; nil when there is only one.
  public let experts: [Int]?
  /// Wall time of the calls, without reading weights and planning.
  public let seconds: Double
  /// The most bytes of state that all branches held at once.
  public let stateByteCount: Int
  /// The most bytes of state that each branch held.
  public let branchStateByteCounts: [Int]

  /// The arrays as `sample --record` writes them.
  public var arrays: [(key: String, tensor: Tensor)] {
    var result = [("model_out", modelOutputs), ("latents", latents), ("final", final)]
    if let computed { result.append(("computed", computed)) }
    if let metric { result.append(("metric", metric)) }
    if let experts { result.append(("expert", Tensor(experts.map(Int64.init)))) }
    if tookPlace.contains(false),
      let shape = try? Shape([tookPlace.count / max(1, branches.count), branches.count])
    {
      result.append(("took_place", Tensor(tookPlace, shape: shape)))
    }
    return result.map { (key: $0.0, tensor: $0.1) }
  }

  /// For each branch, the steps that called it.
  public var branchCalls: [Int] {
    branches.indices.map { branch in
      stride(from: branch, to: tookPlace.count, by: branches.count).count { tookPlace[$0] }
    }
  }

  /// For each site, the fraction of calls that computed it.
  public var computedFractions: [Double] {
    guard let computed else { return [] }
    let sites = computed.shape[2]
    let flags = computed.elements(as: Bool.self)
    let calls = sites == 0 ? 0 : flags.count / sites
    return (0..<sites).map { site in
      let count = (0..<calls).reduce(0) { $0 + (flags[$1 * sites + site] ? 1 : 0) }
      return calls == 0 ? 1 : Double(count) / Double(calls)
    }
  }

  /// Joins the runs of several groups of samples; the first group's decisions stand for all.
  static func joined(_ parts: [Recording]) throws(DiffusionError) -> Recording {
    guard let first = parts.first else {
      throw DiffusionError("no-samples", at: "initial_noise", "there are no samples")
    }
    if parts.count == 1 { return first }
    return Recording(
      branches: first.branches,
      modelOutputs: try Tensor.joined(parts.map(\.modelOutputs), axis: 2, at: "recording"),
      latents: try Tensor.joined(parts.map(\.latents), axis: 1, at: "recording"),
      final: try Tensor.stacked(parts.map(\.final), at: "final"), computed: first.computed,
      metric: first.metric, tookPlace: first.tookPlace, experts: first.experts,
      seconds: parts.reduce(0) { $0 + $1.seconds },
      stateByteCount: parts.map(\.stateByteCount).max() ?? 0,
      branchStateByteCounts: first.branches.indices.map { branch in
        parts.map { $0.branchStateByteCounts[branch] }.max() ?? 0
      })
  }
}
