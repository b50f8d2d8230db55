import Adapters
import CacheContract
import Dispatch
import GraphIR
import Interpreter
import Tensors

/// One group of samples on its way from noise to a result, with the state of its branches.
struct DenoisingRun {
  private let roles: InputRoles
  private let parameters: [String: Double]
  private let inputs: SampleInputs
  private let range: Range<Int>
  private let plan: GuidancePlan
  private let override: StateBundle.Override
  private let boundary: Double?
  private var experts: [DenoisingExpert]
  private var unconditional: UnconditionalCall?
  private var scheduler: any Scheduler
  private var latents: Tensor

  private let start = DispatchTime.now()
  private var trajectory: [Tensor]
  private var outputs: [Tensor] = []
  private var ran: [Int] = []
  private var flags: [Bool] = []
  private var metrics: [Float] = []
  private var tookPlace: [Bool] = []
  private var stateByteCount = 0
  private var branchStateByteCounts: [Int]

  init(
    _ loop: DenoisingLoop, _ inputs: SampleInputs, _ range: Range<Int>, _ plan: GuidancePlan,
    override: StateBundle.Override
  ) throws {
    roles = loop.roles
    parameters = loop.parameters
    self.inputs = inputs
    self.range = range
    self.plan = plan
    self.override = override
    unconditional = loop.unconditional
    boundary = loop.lowNoise.map { $0.boundary * loop.roles.timestepMultiplier }
    var experts = [DenoisingExpert(loop.engine, manifest: loop.manifest)]
    if let low = loop.lowNoise {
      experts.append(
        DenoisingExpert(low.engine, manifest: low.manifest, guidanceScale: low.guidanceScale))
    }
    self.experts = experts.map { $0.restarted(branches: plan.branches) }
    scheduler = loop.scheduler.makeScheduler(inputs.levels)
    branchStateByteCounts = [Int](repeating: 0, count: plan.branches.count)
    latents = try Self.rounded(
      inputs.initialNoise.samples(range, of: "initial_noise"), by: loop.engine, loop.roles)
    trajectory = [latents]
  }

  /// Takes one scheduler step; steps come in order.
  mutating func takeStep(_ step: Int) throws {
    let number = expert(at: inputs.levels.timesteps[step])
    let manifest = experts[number].manifest
    let order = BranchOrder(manifest?.branches, among: plan.branches, step: step)
    if let (kept, dropped) = order.merged, let other = experts[number].bundles[dropped] {
      experts[number].bundles[kept]?.average(with: other)
    }
    var calls = [Tensor?](repeating: nil, count: plan.branches.count)
    var reports = [Report](
      repeating: Report(sites: manifest?.sites.count ?? 0), count: plan.branches.count)
    var happened = [Bool](repeating: false, count: plan.branches.count)
    for branch in order.calls {
      let leader = order.leader.flatMap { $0 == branch ? nil : reports[$0].computed }
      func predict() throws -> Tensor {
        let results = try call(number, branch: branch, step: step, following: leader)
        if let manifest { reports[branch] = try Report(results, sites: manifest.sites.count) }
        happened[branch] = true
        return try experts[number].prediction(of: results)
      }
      if plan.branches[branch] == "uncond", var standIn = unconditional,
        let cond = plan.branches.firstIndex(of: "cond").flatMap({ calls[$0] })
      {
        calls[branch] = try standIn.output(at: moment(step, cond: cond), call: predict)
        unconditional = standIn
      } else {
        calls[branch] = try predict()
      }
    }
    let made = calls.compactMap { $0 }
    outputs.append(
      try Tensor.stacked(
        calls.map { ($0 ?? made[0].filled(with: .nan)).withLeadingAxis() }, at: "model_out"
      ).withLeadingAxis())
    ran.append(number)
    flags += reports.flatMap(\.computed)
    metrics += reports.flatMap(\.metric)
    tookPlace += happened
    noteState()
    let output = try plan.guided(made, like: latents, scale: experts[number].guidanceScale)
    let moved = scheduler.step(output, at: step, from: latents.elements(as: Float.self))
    latents = try Self.rounded(
      Tensor(moved, shape: latents.shape), by: experts[number].engine, roles)
    trajectory.append(latents)
  }

  /// Everything that was computed.
  func recording() throws -> Recording {
    let seconds = Double(DispatchTime.now().uptimeNanoseconds - start.uptimeNanoseconds) / 1e9
    let manifest = experts[0].manifest
    let shape = try Shape([ran.count, plan.branches.count, manifest?.sites.count ?? 0])
    return Recording(
      branches: plan.branches, modelOutputs: try Tensor.stacked(outputs, at: "model_out"),
      latents: try Tensor.stacked(trajectory.map { $0.withLeadingAxis() }, at: "latents"),
      final: latents, computed: manifest == nil ? nil : Tensor(flags, shape: shape),
      metric: manifest == nil ? nil : Tensor(metrics, shape: shape), tookPlace: tookPlace,
      experts: boundary == nil ? nil : ran, seconds: seconds, stateByteCount: stateByteCount,
      branchStateByteCounts: branchStateByteCounts)
  }

  /// The model of a timestep: the first at and above the boundary, as in diffusers' `WanPipeline`.
  private func expert(at timestep: Double) -> Int {
    boundary.map { timestep >= $0 ? 0 : 1 } ?? 0
  }

  private mutating func call(
    _ number: Int, branch: Int, step: Int, following leader: [Bool]?
  ) throws -> [Name: Tensor] {
    let own = try feeds(for: plan.branches[branch], step: step, experts[number].engine)
    let controls = DenoisingExpert.Controls(
      step: step, override: override, following: override == .auto ? leader : nil,
      sigmas: (inputs.levels.sigmas[step], inputs.levels.sigmas[step + 1]),
      parameters: parameters)
    return try experts[number].call(branch, own, controls)
  }

  /// A step as what stands in for the unconditional call sees it.
  private func moment(_ step: Int, cond: Tensor) -> UnconditionalCall.Step {
    let timestep = Float(inputs.levels.timesteps[step])
    return UnconditionalCall.Step(
      cond: cond, timestep: Tensor([Float](repeating: timestep, count: range.count)),
      number: step, sigmas: (inputs.levels.sigmas[step], inputs.levels.sigmas[step + 1]),
      override: override, parameters: parameters)
  }

  private mutating func noteState() {
    let held = plan.branches.indices.map { branch in
      experts.reduce(0) { $0 + ($1.bundles[branch]?.byteCount ?? 0) }
    }
    stateByteCount = max(stateByteCount, held.reduce(0, +))
    branchStateByteCounts = zip(branchStateByteCounts, held).map { max($0, $1) }
  }

  /// Latents as the model's input holds them, in float32.
  ///
  /// A half-precision model's latents are rounded to its type after each step, as diffusers'
  /// schedulers do (`FlowMatchEulerDiscreteScheduler.step` computes in float32 and casts back).
  private static func rounded(
    _ latents: Tensor, by engine: any DenoisingEngine, _ roles: InputRoles
  ) throws -> Tensor {
    let held = try engine.converted([roles.latents: latents])[roles.latents] ?? latents
    guard held.dataType.isFloatingPoint else {
      throw DiffusionError(
        "latents-type", at: "input '\(roles.latents)'",
        "latents of type \(held.dataType) cannot be denoised", category: .unsupported)
    }
    return try held.asFloat32()
  }

  /// The model's own inputs for one call.
  private func feeds(
    for branch: String, step: Int, _ engine: any DenoisingEngine
  ) throws -> [Name: Tensor] {
    let isBatched = branch == "batched"
    func both(_ tensor: Tensor, _ place: String) throws -> Tensor {
      isBatched ? try Tensor.stacked([tensor, tensor], at: place) : tensor
    }
    var feeds = try plan.text(for: branch, range, of: inputs)
    for (name, tensor) in inputs.extras where name != roles.latents {
      let place = "\(SampleInputs.extraPrefix)\(name)"
      feeds[name] =
        inputs.isPerSample(tensor) ? try both(tensor.samples(range, of: place), place) : tensor
    }
    var noisy = latents
    if let channels = inputs.extras[roles.latents] {
      let place = "\(SampleInputs.extraPrefix)\(roles.latents)"
      let own = try channels.samples(range, of: place).asFloat32()
      noisy = try Tensor.joined([latents, own], axis: 1, at: place)
    }
    feeds[roles.latents] = try both(noisy, "latents")
    let count = range.count * (isBatched ? 2 : 1)
    let timestep = Float(inputs.levels.timesteps[step])
    feeds[roles.timestep] = Tensor([Float](repeating: timestep, count: count))
    if case .embedded(let input, let multiplier) = roles.guidance, feeds[input] == nil {
      let scale = inputs.guidanceScale ?? roles.guidanceScale ?? 1
      feeds[input] = Tensor([Float](repeating: Float(scale * multiplier), count: count))
    }
    return try engine.converted(feeds)
  }
}
