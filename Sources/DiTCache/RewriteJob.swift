import Adapters
public import CacheContract
public import CacheRewrite
public import GraphIR
public import Legalization
import ModelStructure
import OnnxFile
import Rewrite
public import ScheduleLanguage
import Tensors
import TypeInference

/// Turns a model file and a schedule into a cached model.
public struct RewriteJob: Sendable {
  /// The runtime to write for; nil leaves the model's own operators as they are.
  public var target: RuntimeTarget?
  /// Whether the result runs without state; nil takes the target's habit.
  public var convention: StateConvention?
  /// How cache nodes are written.
  public var form = Form.Kind.if
  /// The number of steps, or nil for the schedule's own.
  public var steps: Int?
  /// The noise levels of the run, if they are known.
  public var noise: NoiseTable?
  /// The adapter's name, a file that holds one, or nil to recognise the model.
  public var adapter: String?

  /// A job with its defaults.
  public init() {}

  /// What a rewrite made.
  public struct Result: Sendable {
    /// The lowered graph, its manifest, costs and plan.
    public let cached: CachedGraph
    /// The legalised graph without cache nodes.
    public let uncached: Graph
    /// What legalisation did, repairs of defects first.
    public let legalization: [LegalizationReport]
    /// The schedule that was followed.
    public let schedule: Schedule
    /// Blocks of the model.
    public let blockCount: Int
    /// Whether the result runs without state.
    public let convention: StateConvention

    package init(
      cached: CachedGraph, uncached: Graph, legalization: [LegalizationReport], schedule: Schedule,
      blockCount: Int, convention: StateConvention = .optional
    ) {
      self.convention = convention
      self.cached = cached
      self.uncached = uncached
      self.legalization = legalization
      self.schedule = schedule
      self.blockCount = blockCount
    }

    /// What goes into the file's metadata.
    public func metadata() throws -> [(key: String, value: String)] {
      [
        (ContractNames.manifestKey, try cached.manifest.json()),
        (ContractNames.scheduleKey, String(decoding: schedule.source.bytes, as: UTF8.self)),
      ]
    }
  }

  /// Rewrites in memory; weights are not read.
  public func run(_ model: LoadedModel, schedule: Schedule) throws -> Result {
    try model.requireUncached()
    var graph = model.graph
    let legalization = try Legalizer.run(target?.passes ?? [], on: &graph)
    let chosen = try adapter(for: model, schedule: schedule)
    var rewriter = CacheRewriter(
      convention: try stateConvention(), aliases: chosen?.aliases ?? [:],
      steps: steps,
      inputs: ModelInputs(
        latents: chosen.map { Name($0.ownName(of: $0.latents, roles: model.roles)) }
          ?? model.structure.latents.map { model.graph.name(of: $0) },
        timestep: chosen.map { Name($0.ownName(of: $0.timestep, roles: model.roles)) }
          ?? model.roles["timestep"].map { Name($0) },
        timestepMultiplier: chosen?.timestepMultiplier ?? 1000), noise: noise)
    rewriter.avoidsNestedIf = target == .openvino && form == .if
    var measured = model.measured
    var structure = model.structure
    if legalization.contains(where: { !$0.report.changes.isEmpty }) {
      _ = try PassPipeline([InferTypes()]).run(on: &graph)
      measured = try LoadedModel.fixing(model.dimensions, in: graph)
      structure = ModelStructure(of: graph, latents: model.structure.latents)
    }
    var cached = try rewriter.rewrite(
      graph, structure, following: schedule, originalDigest: model.file.fileDigest,
      measured: measured)
    if let call = cached.unconditionalCall {
      let metadata: [(key: String, value: String)] = [
        (ContractNames.manifestKey, try call.manifest.json())
      ]
      cached = cached.embedding(
        try OnnxModel.encode(call.graph, irVersion: 8, metadata: metadata))
    }
    return Result(
      cached: cached, uncached: graph, legalization: model.defects + legalization,
      schedule: schedule, blockCount: model.structure.blocks.count,
      convention: rewriter.convention)
  }

  /// The state convention: forms of several files have no use for defaults.
  private func stateConvention() throws(UsageError) -> StateConvention {
    guard form == .static || form == .split else {
      return convention ?? target?.convention ?? .optional
    }
    guard convention != .optional else {
      throw UsageError(
        "state-has-no-default", at: "--state optional",
        "the form '\(form.rawValue)' has no state inputs with defaults",
        hint: "leave --state out")
    }
    return .required
  }

  /// The adapter that is asked for or recognised.
  private func adapter(
    for model: LoadedModel, schedule: Schedule
  ) throws -> AdapterDescription? {
    let own =
      schedule.adapter == nil ? ScheduleLibrary.adapterFile(beside: model.file.path) : nil
    let (chosen, known) = try ScheduleLibrary.adapters(choosing: adapter ?? own)
    if let name = chosen ?? schedule.adapter {
      return try AdapterChoice.choose(
        name, among: known, for: model.graph, model.structure, renames: model.roles)
    }
    return try? AdapterChoice.choose(
      nil, among: known, for: model.graph, model.structure, renames: model.roles)
  }
}

extension RuntimeTarget {
  /// The state convention that the runtime needs.
  public var convention: StateConvention {
    switch self {
    case .onnxruntime: .optional
    case .openvino, .onnx, .tensorrt, .cudaGraphs, .qnn, .coreml, .triton: .required
    }
  }
}
