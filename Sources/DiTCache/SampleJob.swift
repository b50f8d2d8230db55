public import Adapters
public import CacheContract
public import Diffusion
public import GraphIR
import Interpreter
import OnnxFile
public import Quality
import Tensors

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

  /// What a model is asked to denoise.
  public struct Request: Sendable {
    /// Words for the model's prompt table.
    public var prompt: String?
    /// An archive of inputs; wins over the other fields.
    public var inputsPath: String?
    /// The scheduler; nil takes the adapter's.
    public var scheduler: SchedulerName?
    /// Scheduler steps; nil takes the schedule's, then the adapter's.
    public var steps: Int?
    /// The shift; nil takes the adapter's.
    public var shift: Double?
    /// The guidance scale; nil takes the adapter's when there is a prompt.
    public var guidance: Double?
    /// How many samples of the prompt, each with noise of its own.
    public var samples = 1
    /// The seed of the noise.
    public var seed: UInt64 = 0

    /// A request with its defaults.
    public init() {}

    /// Takes the scheduler by its name; nil leaves it to the adapter.
    public mutating func setScheduler(_ name: String?) throws {
      scheduler = try name.map { try OptionWord.parse($0, option: "--scheduler") }
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
    _ model: LoadedModel, adapter: String? = nil, threads: Int, memory: Int? = nil
  ) throws {
    self.model = model
    self.threads = threads
    self.memory = memory ?? EngineOptions.availableMemory
    let choice = try ScheduleLibrary.adapters(choosing: adapter)
    let chosen = try AdapterChoice.choose(
      choice.name, among: choice.known, for: model.graph, model.structure,
      cachedFamilies: model.manifest?.families ?? [], renames: model.roles)
    roles = try InputRoles(chosen, of: model.graph, renames: model.roles)
  }

  /// The scheduler of a request: its own, else the adapter's, else Euler.
  ///
  /// Levels from a file are followed by Euler steps where the adapter says UniPC, because recorded
  /// trajectories and hosts in other runtimes take those.
  ///
  /// - Throws: `UsageError` when the adapter's scheduler is not built in
  public func scheduler(of request: Request) throws(UsageError) -> SchedulerName {
    if let own = request.scheduler { return own }
    let name = roles.scheduler ?? SchedulerName.euler.rawValue
    guard let usual = SchedulerName(rawValue: name) else {
      throw UsageError(
        "no-scheduler", at: "--scheduler", "the model's own scheduler is not built in",
        hint: "pass --scheduler with one of "
          + SchedulerName.allCases.map(\.rawValue).joined(separator: ", ")
          + ", or denoise with a host of your own")
    }
    return request.inputsPath != nil && usual == .unipc ? .euler : usual
  }

  /// The inputs of a request.
  public func inputs(_ request: Request, scheduleSteps: Int? = nil) throws -> SampleInputs {
    if let path = request.inputsPath {
      var arrays: [String: Tensor] = [:]
      for (name, tensor) in try RunJob.arrays(of: path) { arrays[name.text] = tensor }
      var inputs = try SampleInputs(arrays: arrays)
      if let guidance = request.guidance { inputs.guidanceScale = guidance }
      return inputs
    }
    guard let steps = request.steps ?? scheduleSteps ?? roles.steps else {
      throw UsageError("no-step-count", at: "--steps", "nothing says how many steps a run has")
    }
    let levels = try NoiseLevels(
      for: try scheduler(of: request), steps: steps, shift: request.shift ?? roles.shift,
      timestepMultiplier: roles.timestepMultiplier)
    let latents = try latentsShape(samples: request.samples)
    try SeededInputs.requireMemory(for: latents, of: roles.latents)
    var noise = GaussianNoise(seed: request.seed)
    var text: [Name: Tensor] = [:]
    if let prompt = request.prompt, let label = roles.classLabel {
      text[label.input] = try ClassNames(of: model.file.path).label(of: prompt)
    } else if let prompt = request.prompt, let input = roles.conditioning.first {
      text[input] = try PromptTable(inFolderOf: model.file.path).embeddings(of: prompt)
    } else if !roles.conditioning.isEmpty || roles.classLabel != nil {
      throw UsageError(
        "no-text", at: "--prompt", "the model needs a prompt", hint: "pass --prompt or --inputs")
    }
    for (name, tensor) in text where request.samples > 1 {
      text[name] = tensor.repeated(request.samples)
    }
    return SampleInputs(
      initialNoise: noise.tensor(latents), levels: levels, text: text,
      guidanceScale: request.guidance ?? roles.guidanceScale)
  }

  /// The shape of the latents of some samples, whatever the model's own batch.
  private func latentsShape(samples: Int) throws -> Shape {
    let type = model.graph.value(named: roles.latents).flatMap { model.measured.tensorType(of: $0) }
    let sizes = (type?.shape ?? []).dropFirst().map(\.value)
    guard type?.shape?.isEmpty == false, !sizes.contains(nil) else {
      throw UsageError(
        "free-dimensions", at: "input '\(roles.latents)'", "the size of the latents is not known",
        hint: "fix its free dimensions with --dim, or pass --inputs")
    }
    guard (1...1000).contains(samples) else {
      throw UsageError("bad-sample-count", at: "--samples", "1 to 1000, not \(samples)")
    }
    return try Shape([samples] + sizes.compactMap { $0 })
  }

  /// Runs the model as it is, then, if it has a cache and `comparing`, once more without.
  ///
  /// - Parameters:
  ///   - graph: the graph to run; the model's own, or a rewritten form of it
  ///   - manifest: the manifest of a graph with cache
  ///   - inputs: what to denoise
  ///   - scheduler: how steps are taken
  ///   - comparing: whether to run the uncached model too
  ///   - progress: called with a title, the steps done and all steps
  /// - Returns: the run, its baseline and how they compare
  /// - Throws: what reading and running throw
  public func run(
    _ graph: Graph, manifest: Manifest?, _ inputs: SampleInputs,
    scheduler: SchedulerName = .euler, comparing: Bool,
    progress: (String, Int, Int) -> Void = { _, _, _ in }
  ) throws -> Result {
    try model.file.requireWeights()
    let options = EngineOptions(threads: threads, memoryByteCount: memory)
    let engine = try Engine(graph, options: options)
    var baseline: Recording?
    if let manifest, comparing {
      let isOwn = model.manifest != nil
      let uncached = isOwn ? engine : try Engine(model.graph, options: options)
      let loop = DenoisingLoop(
        uncached, roles: roles, manifest: isOwn ? manifest : nil, scheduler: scheduler)
      baseline = try loop.run(inputs, override: .compute) { progress("uncached", $0, $1) }
    }
    let title = manifest == nil ? "uncached" : "cached"
    let loop = DenoisingLoop(engine, roles: roles, manifest: manifest, scheduler: scheduler)
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
      flopsSaved: flopsSaved(sites),
      warnings: warnings(sites)
        + (manifest.map { RuleWarnings.all(diagnostics, $0) } ?? []))
  }

  private func flopsSaved(_ sites: [(site: Manifest.Site, computed: Double)]) -> Double? {
    guard !sites.isEmpty, let total = model.flops, total > 0 else { return nil }
    var saved = 0.0
    for (site, computed) in sites {
      guard let flops = site.flops else { return nil }
      saved += Double(flops) * (1 - computed)
    }
    return saved / Double(total)
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

extension Tensor {
  /// A batch of copies of one sample, (1, …).
  fileprivate func repeated(_ count: Int) -> Tensor {
    guard rank > 0, shape[0] == 1, let batch = try? Shape([count] + shape.dimensions.dropFirst())
    else { return self }
    return view(shape: batch, strides: [0] + strides.dropFirst(), offset: offset)
  }
}
