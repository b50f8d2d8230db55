import CacheContract
import CacheRewrite
import Diffusion
import GraphIR
import Interpreter
import Legalization
import OnnxFile
import Operators
import Quality
import Rewrite
import ScheduleLanguage
import Tensors

/// Proves on real numbers that a cached file does what it should.
///
/// On the given inputs or on seeded ones, the claims are: With override = compute all original
/// outputs are those of the original bit for bit, over two calls. The written slots equal those
/// recomputed from the original, bit for bit where a slot is what a site made or added. One reuse on
/// other inputs equals the rules' expressions, evaluated
/// apart from the rewrite, within 1e-5 (1e-2 where a slot or stream is float16, 5e-2 for bfloat16).
/// The original is the model without cache nodes; where it had to be legalised, that form of it,
/// and one more claim says how near that is to the file's.
///
/// A form of several files is compared with the one file of the form `if`, of which the above is
/// claimed, in calls that run each of its files.
public struct RewriteCheck: Sendable {
  /// One claim and whether it held.
  public struct Claim: Sendable {
    /// What was claimed.
    public let text: String
    /// Whether it held.
    public let holds: Bool
  }

  /// The claims in the order they were tried.
  public private(set) var claims: [Claim] = []

  /// True when every claim held.
  public var holds: Bool { claims.allSatisfy(\.holds) }

  /// Runs original and cached model side by side.
  ///
  /// - Parameters:
  ///   - task: the rewrite
  ///   - cachedPath: the file that was written; it is read again
  ///   - inputsPath: feeds by input name, or nil for seeded ones
  ///   - threads: threads to compute with
  ///   - style: how both are computed
  /// - Throws: what reading and running throw
  public init(
    of task: RewriteTask, writtenTo cachedPath: String, inputsPath: String?, threads: Int,
    style: ComputeStyle = ComputeStyle()
  ) throws {
    let original = task.model
    try original.file.requireWeights()
    let form = try LoadedModel(
      formAt: cachedPath, randomWeightSeed: original.randomWeightSeed, limits: original.limits)
    let (graph, manifest) = try Self.oneFile(
      task, cachedPath, isForm: form != nil, original.limits)
    var options = style.options(threads: threads, memory: nil)
    let reads = task.result.cached.plan.schedule.rules.flatMap(\.rule.expressions)
    if reads.contains(where: { !$0.attentionValues.isEmpty }) {
      // Queries and keys that are read beside an attention are no part of its fusions, and those
      // round otherwise: bits compare without them on both sides.
      options.fusesOperators = false
    }
    let uncached = task.result.uncached
    let plain = try Engine(uncached, options: options)
    let cached = try Engine(graph, options: options)
    let feeds = try plain.converted(
      try inputsPath.map { try RunJob.arrays(of: $0) }
        ?? SeededInputs.make(
          for: try LoadedModel.fixing(original.dimensions, in: uncached), engine: plain))
    let expected = try plain.run(feeds, trace: nil)
    if task.result.legalization.contains(where: { !$0.report.changes.isEmpty }) {
      try claimLegalization(of: task, feeds, expected, options)
    }
    var bundle = StateBundle(manifest)
    for call in 0..<2 {
      let fed = try bundle.feeds(
        adding: feeds, step: call, override: .compute, sigmas: Self.sigmas(of: call))
      let outputs = bundle.absorb(try cached.run(fed, trace: nil))
      try claim("override = compute gives the original bit for bit, call \(call)") {
        try expected.allSatisfy { try Self.difference(outputs[$0], $1)?.isIdentical ?? false }
      }
    }
    var staged = StagedReuse(
      graph: uncached, plan: task.result.cached.plan, options: options)
    for call in 0..<2 {
      try staged.compute(feeds, step: call, sigmas: Self.sigmas(of: call))
    }
    let next = try bundle.feeds(
      adding: Self.moved(feeds), step: 1, override: .reuse, sigmas: Self.sigmas(of: 2))
    try claim("the slots are those recomputed from the original") {
      try task.slotNames.allSatisfy { name, key in
        guard let held = next[Name(name)], let due = staged.held(key) else { return false }
        let stored = try cached.converted([Name(name): due])[Name(name)] ?? due
        guard let difference = try Self.difference(held, stored) else { return false }
        return difference.isIdentical
          || !task.isPlainDifference(key)
            && difference.maximumAbsoluteDifference <= task.slotTolerance(key, holding: stored)
      }
    }
    let apart = try staged.reuse(Self.moved(feeds), step: 1, sigmas: Self.sigmas(of: 2))
    let reused = bundle.absorb(try cached.run(next, trace: nil))
    let flags = reused[Name(ContractNames.computed)]?.elements(as: Bool.self) ?? []
    claim("override = reuse skips all \(manifest.sites.count) sites") {
      flags.count == manifest.sites.count && !flags.contains(true)
    }
    let tolerance = task.reuseTolerance
    try claim("a reuse equals the schedule's expressions within \(tolerance)") {
      try expected.keys.allSatisfy { name in
        guard let due = apart[name] else { return false }
        return try Self.isNear(reused[name], due, tolerance)
      }
    }
    if let form {
      try claimForm(
        try form.formEngine(options), like: cached, manifest, feeds, expected, tolerance)
    }
  }

  /// The one file that decides by itself: the one that was written, or for a form of several files
  /// the one that it is compared with.
  private static func oneFile(
    _ task: RewriteTask, _ path: String, isForm: Bool, _ limits: OnnxLimits
  ) throws -> (graph: Graph, manifest: Manifest) {
    if isForm { return (task.result.cached.graph, task.result.cached.manifest) }
    let model = try LoadedModel(
      path, randomWeightSeed: task.model.randomWeightSeed, limits: limits)
    guard let manifest = model.manifest else {
      throw UsageError(
        "not-cached", at: path, "the file that was written holds no manifest",
        category: .internalFault)
    }
    return (model.graph, manifest)
  }

  /// Compares the legalised model with the file's own graph, where that can run here.
  private mutating func claimLegalization(
    of task: RewriteTask, _ feeds: [Name: Tensor], _ legalized: [Name: Tensor],
    _ options: EngineOptions
  ) throws {
    let engine: Engine
    do {
      engine = try Engine(task.model.graph, options: options)
    } catch is UnsupportedOperators {
      return
    }
    let outputs = try engine.run(feeds, trace: nil)
    let types = task.model.graph.values(of: [.float16, .bfloat16])
    let tolerance = types.contains(.bfloat16) ? 5e-2 : types.contains(.float16) ? 1e-2 : 1e-5
    try claim("the legalised model equals the original within \(tolerance)") {
      try outputs.allSatisfy { try Self.isNear(legalized[$0], $1, tolerance) }
    }
  }

  /// Noise levels of a call and of the next one, for rules that read them.
  static func sigmas(of call: Int) -> (Double, Double) {
    (1 - 0.125 * Double(call), 1 - 0.125 * Double(call + 1))
  }

  static func isNear(_ a: Tensor?, _ b: Tensor, _ tolerance: Double) throws -> Bool {
    guard let difference = try difference(a, b) else { return false }
    return difference.isIdentical || difference.maximumAbsoluteDifference <= tolerance
  }

  mutating func claim(_ text: String, _ holds: () throws -> Bool) rethrows {
    claims.append(Claim(text: text, holds: try holds()))
  }

  static func difference(_ a: Tensor?, _ b: Tensor) throws -> TensorDifference? {
    guard let a, a.shape == b.shape, a.dataType == b.dataType else { return nil }
    guard a.dataType.isFloatingPoint else {
      return try TensorDifference(
        of: Tensor((a.integers() ?? []).map { Float($0) }),
        from: Tensor((b.integers() ?? []).map { Float($0) }))
    }
    return try TensorDifference(of: a, from: b)
  }

  /// Other inputs of the same shapes: large float arrays scaled by 0.9.
  static func moved(_ feeds: [Name: Tensor]) -> [Name: Tensor] {
    feeds.mapValues { tensor in
      guard tensor.dataType.isFloatingPoint, tensor.rank > 2,
        let numbers = try? tensor.asFloat32().elements(as: Float.self),
        let moved = try? Tensor(numbers.map { 0.9 * $0 }, shape: tensor.shape)
          .converted(to: tensor.dataType)
      else { return tensor }
      return moved
    }
  }
}

extension Graph {
  /// Which of some element types the values of the main graph have.
  fileprivate func values(of types: Set<DataType>) -> Set<DataType> {
    Set(
      (0..<valueCount).compactMap { index in
        tensorType(of: ValueID(index))?.dataType.flatMap { types.contains($0) ? $0 : nil }
      })
  }
}
