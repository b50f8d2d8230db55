public import CacheContract
public import GraphIR
public import ModelStructure
public import Rewrite
public import ScheduleLanguage
import Tensors

/// A graph with cache nodes lowered, and what a file should say about it.
public struct CachedGraph: Sendable {
  /// Standard ONNX operators only.
  public let graph: Graph
  /// What goes into the metadata.
  public private(set) var manifest: Manifest
  /// Costs and savings.
  public let costs: CostSheet
  /// The plan that was followed.
  public let plan: CachePlan
  /// What each pass did.
  public let reports: [PassReport]
  /// What stands in for the unconditional call, if the schedule has a rule for it.
  public let unconditionalCall: UnconditionalCall?
  /// The graph before lowering, for forms of several files.
  private(set) var wrapped: WrappedGraph

  /// The same rewrite with another graph in place of its own.
  package func replacingGraph(with graph: Graph) -> CachedGraph {
    CachedGraph(
      graph: graph, manifest: manifest, costs: costs, plan: plan, reports: reports,
      unconditionalCall: unconditionalCall, wrapped: wrapped)
  }

  /// The same rewrite with the model of its unconditional call, as bytes of an ONNX file, in the
  /// manifest.
  package func embedding(_ model: [UInt8]) -> CachedGraph {
    var result = self
    result.manifest.embed(unconditionalCall: model)
    result.wrapped.manifest.embed(unconditionalCall: model)
    return result
  }
}

/// Turns a model and a schedule into a cached model.
public struct CacheRewriter: Sendable {
  /// Whether the result runs without state.
  public var convention: StateConvention
  /// The adapter's names for block families.
  public var aliases: [String: String]
  /// The host's number of steps, or nil for the schedule's own.
  public var steps: Int?
  /// The model's inputs that rules may read.
  public var inputs: ModelInputs
  /// The noise levels of the run, if they are known: decisions by them become tables.
  public var noise: NoiseTable?
  /// Whether conditions on state of fixed size compute both branches and take one, for OpenVINO, which
  /// takes the wrong branch of an If inside an If.
  public var avoidsNestedIf = false

  /// A rewriter with its options.
  public init(
    convention: StateConvention = .optional, aliases: [String: String] = [:], steps: Int? = nil,
    inputs: ModelInputs = ModelInputs(), noise: NoiseTable? = nil
  ) {
    self.inputs = inputs
    self.noise = noise
    self.convention = convention
    self.aliases = aliases
    self.steps = steps
  }

  /// Plans, wraps and lowers.
  ///
  /// - Parameters:
  ///   - graph: an imported graph with type facts for its hidden states
  ///   - structure: its blocks
  ///   - schedule: what to cache and when
  ///   - originalDigest: SHA-256 of the original file, for the manifest
  ///   - measured: the same graph with free dimensions fixed, for the cost sheet
  /// - Returns: the lowered graph with its manifest and costs
  /// - Throws: `CacheRewriteError`, `StructureError`, `ScheduleError` or `PassFailure`
  public func rewrite(
    _ graph: Graph, _ structure: ModelStructure, following schedule: Schedule,
    originalDigest: String, measured: Graph? = nil
  ) throws -> CachedGraph {
    try WrapBlocks.requireFreeNames(in: graph)
    var (inside, between) = (schedule, schedule)
    inside.rules.removeAll { $0.site == .uncond }
    between.rules.removeAll { $0.site != .uncond }
    let plan = try CachePlan(
      inside, on: structure, of: graph, aliases: aliases, steps: steps, inputs: inputs,
      noise: noise)
    var wrapped = graph
    var reports = try PassPipeline([
      WrapBlocks(plan, convention: convention, avoidsNestedIf: avoidsNestedIf)
    ]).run(on: &wrapped)
    var cached = wrapped
    reports += try PassPipeline([LowerCacheNodes()]).run(on: &cached)
    let costs = CostSheet(plan: plan, original: measured ?? graph, rewritten: cached)
    let manifest = manifest(
      plan, cached, families: structure.families.map(\.name), costs, originalDigest)
    return CachedGraph(
      graph: cached, manifest: manifest, costs: costs, plan: plan, reports: reports,
      unconditionalCall: try unconditionalCall(
        of: graph, following: between, originalDigest: originalDigest),
      wrapped: WrappedGraph(
        wrapped, plan: plan, manifest: manifest,
        blocks: structure.blocks.map { FunctionForm.Member($0, in: graph) }))
  }

  /// What a lowered graph should say about itself.
  func manifest(
    _ plan: CachePlan, _ graph: Graph, families: [String], _ costs: CostSheet, _ digest: String
  ) -> Manifest {
    let names = plan.schedule.rules.map(\.rule.name)
    let inputs = Set(graph.inputs.map { graph.name(of: $0).text })
    let controls = [
      ContractNames.step, ContractNames.steps, ContractNames.branch, ContractNames.override,
      ContractNames.sigmas,
    ].filter(inputs.contains)
    let parameters = plan.schedule.schedule.parameters.map {
      Manifest.Parameter(
        name: $0.name, input: ContractNames.parameter($0.name), value: $0.defaultValue,
        minimum: $0.range.lowerBound, maximum: $0.range.upperBound)
    }
    let branches: Manifest.Branches? =
      switch plan.schedule.schedule.branches {
      case .separate: nil
      case .follow: .init(leader: "cond")
      case .drop(let step): .init(dropped: "cond", fromStep: step)
      }
    let flags = Set(names.map { ContractNames.valid(rule: $0) })
    return Manifest(
      tool: ToolVersion.text, schedule: plan.schedule.schedule.name, steps: plan.schedule.steps,
      originalDigest: digest, families: families,
      rules: plan.schedule.rules.map {
        .init(
          name: $0.rule.name, table: $0.table.isAdaptive ? [] : $0.table.computed,
          metric: .init($0, parameters: plan.schedule.schedule.parameters))
      },
      sites: plan.sites.indices.map { index in
        let site = plan.sites[index]
        let added = costs.addedFlops[index]
        return .init(
          name: site.name, rule: names[site.rule], blocks: site.blockCount,
          flops: costs.siteFlops[index], addedFlops: added == 0 ? nil : added)
      },
      state: graph.statePairs.map { pair in
        let name = graph.name(of: pair.input).text
        let type = graph.tensorType(of: pair.input)
        return .init(
          input: name, output: graph.name(of: pair.output).text,
          dataType: type?.dataType?.description ?? "float32",
          shape: type?.shape?.map(\.description) ?? [], isValidity: flags.contains(name))
      },
      controls: controls, parameters: parameters, branches: branches,
      timesteps: plan.schedule.isBoundToLevels ? noise?.timesteps : nil)
  }
}
