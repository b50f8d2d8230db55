public import Adapters
public import CacheContract
public import Diffusion
public import GraphIR
import Interpreter
import OnnxFile
public import Quality
import Rewrite
import Tensors
import TypeInference

/// Samples with a model: uncached, cached, and compared.
public struct SampleJob: Sendable {
  /// The model to sample with.
  public let model: LoadedModel
  /// What each input is.
  public let roles: InputRoles
  /// Threads to compute with.
  public var threads: Int
  /// Bytes that the results of one engine may take.
  public var memory: Int
  /// What turns token numbers into embeddings; nil without `--text-encoder`.
  public var textEncoder: TextEncoder?
  /// How it is computed.
  public var style: ComputeStyle

  /// The model that takes over when little noise is left.
  public struct LowNoise: Sendable {
    /// The file, of the same architecture.
    public var model: LoadedModel
    /// The graph to run: the model's own, or a rewritten form of it.
    public var graph: Graph
    /// The manifest of a graph with cache.
    public var manifest: Manifest?
    /// The first model runs at timesteps of at least this part of the timestep of pure noise.
    public var boundary = LowNoiseExpert.usualBoundary
    /// Its guidance scale; nil takes that of the run.
    public var guidance: Double?

    /// A model as it is.
    public init(_ model: LoadedModel) {
      self.model = model
      graph = model.graph
      manifest = model.manifest
    }
  }

  /// A run and, for a cached one, what it is compared with.
  public struct Result: Sendable {
    /// The run that was asked for.
    public let run: Recording
    /// The same run without cache; nil when there was no cache or it was not wanted.
    public let baseline: Recording?
    /// The cached run beside the baseline.
    public let quality: GenerationQuality?
    /// The sites with the fraction of calls that computed each.
    public let sites: [(site: Manifest.Site, computed: Double)]
    /// What each site did, step by step, in the order of `sites`.
    public let diagnostics: [SiteDiagnostics]
    /// The fraction of all FLOPs that was skipped, when costs are known.
    public let flopsSaved: Double?
    /// Why the cache may not do what was meant; empty when all is well.
    public let warnings: [String]
  }

  /// A job for a model; the adapter is recognised unless it is named.
  public init(
    _ model: LoadedModel, adapter: String? = nil, threads: Int, memory: Int? = nil,
    style: ComputeStyle = ComputeStyle()
  ) throws {
    self.style = style
    self.model = model
    self.threads = threads
    self.memory = memory ?? EngineOptions.availableMemory
    let choice = try ScheduleLibrary.adapters(
      choosing: adapter ?? ScheduleLibrary.adapterFile(beside: model.path))
    let chosen = try AdapterChoice.choose(
      choice.name, among: choice.known, for: model.graph, model.structure,
      cachedFamilies: model.manifest?.families ?? [], renames: model.roles)
    roles = try InputRoles(chosen, of: model.graph, renames: model.roles)
  }

  /// Runs the model as it is, then, if it has a cache and `comparing`, once more without.
  ///
  /// - Parameters:
  ///   - graph: the graph to run; the model's own, or a rewritten form of it
  ///   - manifest: the manifest of a graph with cache
  ///   - lowNoise: the model that takes over when little noise is left
  ///   - inputs: what to denoise
  ///   - scheduler: how steps are taken
  ///   - comparing: whether to run the uncached model too
  ///   - progress: called with a title, the steps done and all steps
  /// - Returns: the run, its baseline and how they compare
  /// - Throws: what reading and running throw
  public func run(
    _ graph: Graph, manifest: Manifest?, lowNoise: LowNoise? = nil, _ inputs: SampleInputs,
    scheduler: SchedulerName = .euler, comparing: Bool,
    progress: (String, Int, Int) -> Void = { _, _, _ in }
  ) throws -> Result {
    let loop = try loop(graph, manifest: manifest, lowNoise: lowNoise, scheduler: scheduler)
    var baseline: Recording?
    if manifest != nil, comparing {
      let uncached =
        model.manifest != nil
        ? loop
        : try self.loop(
          model.graph, manifest: nil,
          lowNoise: lowNoise.map {
            var own = $0
            (own.graph, own.manifest) = ($0.model.graph, nil)
            return own
          }, scheduler: scheduler)
      baseline = try uncached.run(inputs, override: .compute) { progress("uncached", $0, $1) }
    }
    let title = manifest == nil ? "uncached" : "cached"
    let run = try loop.run(inputs) { progress(title, $0, $1) }
    let isPixels =
      [4, 5].contains(inputs.initialNoise.rank) && [1, 3].contains(inputs.initialNoise.shape[1])
    let quality = try baseline.map { baseline in
      try GenerationQuality(
        of: run.final, against: baseline.final, content: isPixels ? .pixels : .latents)
    }
    let fractions = run.computedFractions
    let sites = zip(manifest?.sites ?? [], fractions).map { (site: $0, computed: $1) }
    let diagnostics = manifest.map { run.diagnostics($0) } ?? []
    return Result(
      run: run, baseline: baseline, quality: quality, sites: sites, diagnostics: diagnostics,
      flopsSaved: manifest.flatMap { flopsSaved(run, $0) },
      warnings: warnings(sites)
        + (manifest.map { RuleWarnings.all(diagnostics, $0) } ?? []))
  }

  func loop(
    _ graph: Graph, manifest: Manifest?, lowNoise: LowNoise?, scheduler: SchedulerName
  ) throws -> DenoisingLoop {
    let options = style.options(threads: threads, memory: memory)
    try model.requireWeights()
    var loop = DenoisingLoop(
      try model.engine(graph, options), roles: roles, manifest: manifest, scheduler: scheduler)
    loop.unconditional = try manifest?.unconditionalEngine(options)
    if let lowNoise {
      try lowNoise.model.requireWeights()
      loop.lowNoise = try LowNoiseExpert(
        try lowNoise.model.engine(lowNoise.graph, options), manifest: lowNoise.manifest,
        boundary: lowNoise.boundary, guidanceScale: lowNoise.guidance)
    }
    return loop
  }

  /// The part of all calls' FLOPs that was skipped; nil where a cost is not known.
  private func flopsSaved(_ run: Recording, _ manifest: Manifest) -> Double? {
    guard let total = model.flops, total > 0, manifest.sites.allSatisfy({ $0.flops != nil })
    else { return nil }
    return 1 - run.computedShare(manifest, callFlops: total)
  }

  private func warnings(_ sites: [(site: Manifest.Site, computed: Double)]) -> [String] {
    guard !sites.isEmpty else { return [] }
    if sites.allSatisfy({ $0.computed == 1 }) {
      return ["the cache never fired: every site was computed at every step"]
    }
    return sites.filter { $0.computed == 1 }.map { "site \($0.site.name) never reused" }
      + sites.filter { $0.computed < 0.05 }.map {
        "site \($0.site.name) was computed at almost no step; check its schedule"
      }
  }
}

extension Manifest {
  /// What stands in for the unconditional call; nil where nothing does.
  func unconditionalEngine(_ options: EngineOptions) throws -> UnconditionalCall? {
    guard let bytes = try unconditionalCall() else { return nil }
    let file = try OnnxModel.parse(bytes)
    guard let json = file.metadata(ContractNames.manifestKey) else {
      throw ContractError(
        "broken-manifest", "the model of the unconditional call says nothing about itself")
    }
    let manifest = try Manifest(json: json)
    var graph = file.graph
    try manifest.restoreStatePairs(in: &graph)
    _ = try PassPipeline([InferTypes()]).run(on: &graph)
    return UnconditionalCall(try Engine(graph, options: options), manifest: manifest)
  }
}
