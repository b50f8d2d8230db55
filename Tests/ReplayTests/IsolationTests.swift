import CacheContract
import CacheRewrite
import DiTCache
import Diffusion
import Foundation
import GraphIR
import Interpreter
import Synchronization
import TensorFiles
import Tensors
import TestSupport
import Testing

/// Runs on one engine, beside the same runs on fresh ones: no number differs.
@Suite("Isolation of state") struct IsolationTests {
  private static let schedules = separate + ["wan_easycache_cfg", "wan_tgate"]

  private let steps = 12

  private struct Subject {
    let cached: CachedGraph
    let job: SampleJob
    var manifest: Manifest { cached.manifest }

    init(_ name: String, model: String = "wan.onnx") throws {
      let model = try LoadedModel(Fixtures.corpus(model))
      let schedule = Fixtures.package.appending(path: "Tests/ReplayTests/Schedules/\(name).dcs")
      cached = try RewriteJob().run(
        model, schedule: try ScheduleLibrary.schedule(schedule.path(percentEncoded: false))
      ).cached
      job = try SampleJob(model, threads: 2)
    }

    func engine() throws -> Engine { try Engine(cached.graph, options: EngineOptions(threads: 2)) }

    func loop(_ engine: any DenoisingEngine) -> DenoisingLoop {
      DenoisingLoop(engine, roles: job.roles, manifest: manifest)
    }

    /// Guided inputs, and others that no number has in common with them.
    func inputs() throws -> (first: SampleInputs, second: SampleInputs) {
      var request = SampleJob.Request()
      request.inputsPath = Fixtures.oracle("wan_easycache_cfg.npz")
      let first = try job.inputs(request)
      var second = first
      second.initialNoise = first.initialNoise.mapped { 0.5 - 0.75 * $0 }
      return (first, second)
    }
  }

  /// An engine whose n-th call fails.
  private final class Failing: DenoisingEngine {
    struct Stopped: Error {}
    let engine: Engine
    private let left: Mutex<Int>
    var inputs: [Interpreter.Port] { engine.inputs }
    var outputs: [Interpreter.Port] { engine.outputs }

    init(_ engine: Engine, after calls: Int) {
      self.engine = engine
      left = Mutex(calls)
    }

    func converted(_ feeds: [Name: Tensor]) throws -> [Name: Tensor] {
      try engine.converted(feeds)
    }

    func run(_ feeds: consuming [Name: Tensor]) throws -> [Name: Tensor] {
      let mayRun = left.withLock { left in
        left -= 1
        return left >= 0
      }
      guard mayRun else { throw Stopped() }
      return try engine.run(feeds)
    }
  }

  private func expectSame(_ a: Recording, _ b: Recording) throws {
    let (own, due) = (a.arrays, b.arrays)
    try #require(own.map(\.key) == due.map(\.key))
    for (x, y) in zip(own, due) { #expect(x.tensor.bits == y.tensor.bits, "\(x.key)") }
  }

  /// Whether a run both computed and reused after its first step.
  private func isMixed(_ run: Recording) -> Bool {
    let flags = run.computed?.elements(as: Bool.self) ?? []
    return Set(flags.dropFirst(flags.count / steps)).count == 2
  }

  @Test("two generations in a row are what each is alone", arguments: schedules)
  func generations(_ name: String) throws {
    let subject = try Subject(name)
    let (first, second) = try subject.inputs()
    let alone = [
      try subject.loop(subject.engine()).run(first), try subject.loop(subject.engine()).run(second),
    ]
    #expect(isMixed(alone[0]))
    #expect(alone[0].final.bits != alone[1].final.bits)
    let loop = subject.loop(try subject.engine())
    for number in [0, 1, 1, 0] {
      try expectSame(try loop.run([first, second][number]), alone[number])
    }
  }

  @Test("a run that was aborted half-way leaves nothing behind", arguments: schedules)
  func aborted(_ name: String) throws {
    let subject = try Subject(name)
    let (first, second) = try subject.inputs()
    let engine = try subject.engine()
    for calls in [13, 14] {
      let loop = subject.loop(Failing(engine, after: calls))
      #expect(throws: Failing.Stopped.self) { try loop.run(second) }
    }
    try expectSame(
      try subject.loop(engine).run(first), try subject.loop(subject.engine()).run(first))
  }

  @Test("state is as large as the rewrite said, for each branch", arguments: schedules)
  func stateBytes(_ name: String) throws {
    let subject = try Subject(name)
    let run = try subject.loop(subject.engine()).run(try subject.inputs().first)
    let flags = subject.manifest.state.count { $0.isValidity }
    let due = try #require(subject.cached.costs.stateBytes) + flags
    #expect(run.branchStateByteCounts == [due, due])
    #expect(run.stateByteCount == 2 * due)
  }

  // MARK: - Calls by hand

  private struct Call: Equatable {
    let outputs: [Name: [UInt8]]
    let computed: [Bool]
  }

  /// The model's own inputs step by step, from a golden file of one shape.
  private func trajectory(_ golden: String) throws -> [[Name: Tensor]] {
    let feeds = try RunJob.arrays(of: Fixtures.corpus(golden), prefix: "in")
    let timesteps = try NPZFile(readingFrom: Fixtures.corpus("wan_traj.npz")).tensor("timesteps")
      .elements(as: Double.self)
    return timesteps.enumerated().map { step, timestep in
      feeds.merging(
        [
          "hidden_states": feeds["hidden_states"]?.mapped { (1 - Float(step * step) / 160) * $0 },
          "timestep": feeds["timestep"]?.mapped { _ in Float(timestep) },
        ].compactMapValues { $0 }
      ) { $1 }
    }
  }

  private func call(
    _ engine: Engine, _ bundle: inout StateBundle, _ feeds: [Name: Tensor], step: Int
  ) throws -> Call {
    let own = bundle.absorb(try engine.run(try bundle.feeds(adding: feeds, step: step)))
    let flags = own[Name(ContractNames.computed)]?.elements(as: Bool.self) ?? []
    return Call(outputs: own.mapValues(\.bits), computed: flags)
  }

  /// All calls of one generation on an engine of its own.
  private func alone(
    _ subject: Subject, _ trajectory: [[Name: Tensor]], branch: Int = 0
  ) throws -> [Call] {
    let engine = try subject.engine()
    var bundle = StateBundle(subject.manifest, branch: branch)
    return try trajectory.enumerated().map { try call(engine, &bundle, $1, step: $0) }
  }

  /// Those whose branches have nothing to do with each other: three that decide by what they
  /// measure, three by the step.
  private static let separate = [
    "wan_teacache_ret", "wan_dbcache_taylor", "wan_adacache", "wan_profilingdit",
    "wan_taylorseer_attn_o1", "wan_deltadit",
  ]

  @Test("interleaved branches are what each is alone", arguments: separate)
  func interleaved(_ name: String) throws {
    let subject = try Subject(name)
    let conditional = try trajectory("wan_dyn__b1f3h8w12l7.npz")
    let unconditional = conditional.map { feeds in
      feeds.merging(
        ["encoder_hidden_states": feeds["encoder_hidden_states"]?.mapped { _ in 0 }]
          .compactMapValues { $0 }
      ) { $1 }
    }
    let due = [
      try alone(subject, conditional), try alone(subject, unconditional, branch: 1),
    ]
    #expect(Set(due[0].dropFirst().flatMap(\.computed)).count == 2)
    #expect(due[0].last != due[1].last)
    let engine = try subject.engine()
    var bundles = [StateBundle(subject.manifest), StateBundle(subject.manifest, branch: 1)]
    for step in 0..<steps {
      for branch in [1, 0] {
        let feeds = [conditional, unconditional][branch][step]
        let own = try call(engine, &bundles[branch], feeds, step: step)
        #expect(own == due[branch][step], "step \(step), branch \(branch)")
      }
    }
  }

  @Test(
    "one engine and one bundle go through shapes, each as if it were alone", arguments: separate)
  func shapes(_ name: String) throws {
    let subject = try Subject(name, model: "wan_dyn.onnx")
    let trajectories = try ["wan_dyn__b1f3h8w12l7.npz", "wan_dyn__b3f2h4w10l5.npz"].map(trajectory)
    let due = try trajectories.map { try alone(subject, $0) }
    #expect(Set(due[0].dropFirst().flatMap(\.computed)).count == 2)
    let engine = try subject.engine()
    var bundle = StateBundle(subject.manifest)
    for number in [0, 1, 0, 1] {
      // The first pass over a shape breaks off half-way, so that the next finds state of any kind.
      for step in 0..<(number == 0 ? steps : 7) {
        let own = try call(engine, &bundle, trajectories[number][step], step: step)
        #expect(own == due[number][step], "shape \(number), step \(step)")
      }
    }
  }

  @Test("state of another shape that a host feeds all the same is not used", arguments: separate)
  func stale(_ name: String) throws {
    let subject = try Subject(name, model: "wan_dyn.onnx")
    let trajectories = try ["wan_dyn__b1f3h8w12l7.npz", "wan_dyn__b3f2h4w10l5.npz"].map(trajectory)
    let engine = try subject.engine()
    var bundle = StateBundle(subject.manifest)
    for step in 0..<7 { _ = try call(engine, &bundle, trajectories[0][step], step: step) }
    let state = try bundle.feeds(adding: trajectories[0][7], step: 7).filter {
      $0.key.text.hasPrefix(ContractNames.prefix)
    }
    let results = try engine.run(trajectories[1][7].merging(state) { own, _ in own })
    var fresh = StateBundle(subject.manifest)
    let due = try call(engine, &fresh, trajectories[1][7], step: 7)
    #expect(Set(results[Name(ContractNames.computed)]?.elements(as: Bool.self) ?? []) == [true])
    for (name, bits) in due.outputs where !name.text.hasPrefix(ContractNames.prefix) {
      #expect(results[name]?.bits == bits)
    }
  }
}

extension Tensor {
  /// The bytes of all elements, in which NaN equals itself.
  fileprivate var bits: [UInt8] {
    let tensor = contiguous()
    return (0..<tensor.byteCount).map { tensor.base.load(fromByteOffset: $0, as: UInt8.self) }
  }

  /// A float32 tensor with each number replaced.
  fileprivate func mapped(_ transform: (Float) -> Float) -> Tensor {
    Tensor(elements(as: Float.self).map(transform), shape: shape)
  }
}
