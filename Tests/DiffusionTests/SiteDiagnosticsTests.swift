import Adapters
import CacheContract
import Diffusion
import GraphIR
import Tensors
import Testing

/// What a run says about sites, from metrics that a fake model reports.
@Suite("Diagnostics of a run") struct SiteDiagnosticsTests {
  private static func manifest(
    steps: Int, metric: Manifest.Rule.Metric?, table: [Bool] = [],
    branches: Manifest.Branches? = nil
  ) -> Manifest {
    Manifest(
      tool: "test", schedule: "s", steps: steps, originalDigest: "",
      rules: [.init(name: "r", table: table, metric: metric)],
      sites: [.init(name: "all", rule: "r", blocks: 1, flops: nil)], state: [],
      controls: [ContractNames.step, ContractNames.branch], branches: branches)
  }

  /// Runs a model that reports one metric a step, `scales[branch]` times as large.
  private func diagnostics(
    _ metrics: [Float], _ metric: Manifest.Rule.Metric?, table: [Bool] = [],
    computed: [Bool]? = nil, scales: [Float] = [1], branches: Manifest.Branches? = nil
  ) throws -> SiteDiagnostics {
    let manifest = Self.manifest(
      steps: metrics.count, metric: metric, table: table, branches: branches)
    let model = try FakeModel(velocity: FakeModel.fromText) { feeds in
      func control(_ name: String) -> Int {
        Int(feeds[Name(name)]?.elements(as: Int64.self).first ?? 0)
      }
      let step = control(ContractNames.step)
      return [
        Name(ContractNames.computed): Tensor([computed?[step] ?? true]),
        Name(ContractNames.metric): Tensor([
          metrics[step] * scales[control(ContractNames.branch)]
        ]),
      ]
    }
    let isGuided = scales.count == 2
    let inputs = SampleInputs(
      initialNoise: try .rows([[0, 0]]), levels: try NoiseLevels(steps: metrics.count, shift: 1),
      text: ["text": try .rows([[3]])], guidanceScale: isGuided ? 2 : nil)
    let recording = try DenoisingLoop(
      model, roles: .fake(isGuided ? .sequential : .none), manifest: manifest
    ).run(inputs)
    return try #require(recording.diagnostics(manifest).first)
  }

  private func below(_ threshold: Double, forced: [Int] = [0]) -> Manifest.Rule.Metric {
    .init(reusesBelow: true, threshold: threshold, forcedSteps: forced)
  }

  @Test("a site that never fired is told thresholds for a quarter and a half of the steps")
  func neverFired() throws {
    let site = try diagnostics([.nan, 5, 0.25, 4, 3, 2, 1, 8], below(0.5, forced: [0, 2]))
    #expect(site.neverFired)
    #expect(site.firings == [.init(steps: 2, threshold: 2.5), .init(steps: 4, threshold: 4.5)])
    #expect(site.computedSteps == [Array(0..<8)])
    #expect(site.notFiniteCalls == 0)
  }

  @Test("percentiles are numpy's, over the finite metrics of all calls")
  func percentiles() throws {
    let site = try diagnostics([.nan, 5, 0.25, 4, 3, .infinity, 2, 1, 8], nil)
    let metric = try #require(site.metric)
    #expect(metric.count == 7)
    #expect((metric.minimum, metric.p50, metric.maximum) == (0.25, 3, 8))
    #expect(abs(metric.p10 - 0.7) < 1e-12)
    #expect(abs(metric.p90 - 6.2) < 1e-12)
    #expect(SiteDiagnostics.Spread(of: []) == nil)
  }

  @Test("a rule that reuses above its threshold is told smaller ones")
  func above() throws {
    let site = try diagnostics(
      [.nan, 1, 2, 3, 4], .init(reusesBelow: false, threshold: 9, forcedSteps: [0]))
    #expect(site.firings == [.init(steps: 1, threshold: 3.5), .init(steps: 2, threshold: 2.5)])
  }

  @Test("with two branches the one that is harder to reuse counts")
  func branches() throws {
    let site = try diagnostics([.nan, 1, 2, 3, 4], below(0.5), scales: [1, 2])
    #expect(site.computedSteps == [[0, 1, 2, 3, 4], [0, 1, 2, 3, 4]])
    #expect(site.firings == [.init(steps: 1, threshold: 3), .init(steps: 2, threshold: 5)])
  }

  @Test("steps with the same metric fire together, and the last step has room above it")
  func ties() throws {
    let tied = try diagnostics([.nan, 2, 2, 2, 8], below(0.5))
    #expect(tied.firings == [.init(steps: 3, threshold: 5)])
    let last = try diagnostics([.nan, 2], below(0.5))
    let firing = try #require(last.firings.first)
    #expect(last.firings.count == 1)
    #expect(firing.steps == 1)
    #expect(firing.threshold > 2)
    #expect(firing.threshold < 2.25)
  }

  @Test("no threshold is offered where the metric was not what kept the site from reusing")
  func otherConditions() throws {
    let passing = try diagnostics([.nan, 1, 2, 0.25], below(0.5))
    #expect(passing.neverFired)
    #expect(passing.firings.isEmpty)
    let forced = try diagnostics([.nan, 1, 2], below(0.5, forced: [0, 1, 2]))
    #expect(forced.neverFired)
    #expect(forced.firings.isEmpty)
    let reported = try diagnostics(
      [.nan, 1, 2], .init(reusesBelow: nil, threshold: nil, forcedSteps: []))
    #expect(reported.firings.isEmpty)
  }

  @Test("NaN and infinity after the first call are counted, and only of rules with a metric")
  func notFinite() throws {
    let metrics: [Float] = [.nan, .nan, 1, .infinity, 2]
    #expect(try diagnostics(metrics, below(0.5)).notFiniteCalls == 2)
    #expect(try diagnostics(metrics, nil).notFiniteCalls == 0)
  }

  @Test("a site that reused once, or whose table computes every step, has not failed to fire")
  func fired() throws {
    let once = try diagnostics([.nan, 1, 2], below(1.5), computed: [true, false, true])
    #expect(!once.neverFired)
    #expect(once.computedSteps == [[0, 2]])
    #expect(once.firings.isEmpty)
    let table = try diagnostics([.nan, .nan], nil, table: [true, true])
    #expect(!table.neverFired)
  }

  @Test("calls that a plan of branches drops are neither computed nor reused")
  func dropped() throws {
    let site = try diagnostics(
      [.nan, 1, 2, 3, 4], below(0.5), scales: [1, 2],
      branches: .init(dropped: "uncond", fromStep: 3))
    #expect(site.computedSteps == [[0, 1, 2], [0, 1, 2, 3, 4]])
    #expect(site.neverFired)
    #expect(site.firings == [.init(steps: 1, threshold: 2.5), .init(steps: 2, threshold: 3.5)])
  }
}
