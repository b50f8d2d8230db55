import CacheContract
import CacheRewrite
import GraphIR
import Interpreter
import Rewrite
import Tensors
import Testing

/// What cached steps compute besides the model, with and without fusions.
@Suite struct FusedReuseTests {
  /// Outputs of every step, and what was fused, in a run of eight.
  private func run(
    _ cached: CachedGraph, fuses: Bool
  ) throws -> (outputs: [[Name: [UInt32]]], chains: [String]) {
    let engine = try Engine(
      cached.graph,
      options: EngineOptions(threads: 2, checksResultTypes: true, fusesOperators: fuses))
    var bundle = StateBundle(cached.manifest)
    var outputs: [[Name: [UInt32]]] = []
    var chains: Set<String> = []
    for step in 0..<8 {
      let x = (0..<4).map { Float(step * step) * 0.37 + Float($0) / 3 }
      let own = Tensor(x, shape: try Shape([1, 2, 2]))
      let feeds = try bundle.feeds(adding: ["x": own], step: step, override: .auto)
      let plan = try engine.plan(for: feeds.mapValues(\.shape))
      for report in plan.fusions where report.pass == "elementwise-chain" {
        chains.formUnion(report.changes.map(\.message))
      }
      let results = try engine.run(feeds)
      outputs.append(
        results.filter { $0.value.dataType == .float32 }
          .mapValues { $0.elements(as: Float.self).map(\.bitPattern) })
      _ = bundle.absorb(results)
    }
    return (outputs, chains.sorted())
  }

  @Test func aForecastIsOnePassWithTheSameBits() throws {
    let cached = try ToyTransformer.cached(
      """
      schedule test for any {
        steps 8
        cache blocks[0-1] {
          keep delta
          forecast taylor order 2
          warmup_steps 3
          refresh every 3
        }
      }
      """)
    let (fused, plain) = (try run(cached, fuses: true), try run(cached, fuses: false))
    #expect(fused.outputs == plain.outputs)
    #expect(fused.outputs.count == 8 && fused.outputs[0].count > 3)
    #expect(
      fused.chains.contains { $0.contains("multiply, add, multiply, add") }, "\(fused.chains)")
    #expect(plain.chains.isEmpty)
  }

  @Test func aMetricReadsItsDifferenceOnce() throws {
    let cached = try ToyTransformer.cached(
      """
      schedule test for any {
        steps 8
        cache blocks[1..] {
          keep delta
          refresh unless relative_l1(residual(blocks[0]), since: last_computed) < 0.8
        }
      }
      """)
    let (fused, plain) = (try run(cached, fuses: true), try run(cached, fuses: false))
    #expect(fused.outputs == plain.outputs)
    #expect(fused.chains.contains { $0.contains("subtract, absolute") }, "\(fused.chains)")
  }
}
