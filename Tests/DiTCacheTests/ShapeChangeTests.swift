import CacheContract
import CacheRewrite
import DiTCache
import Foundation
import GraphIR
import Interpreter
import Tensors
import TestSupport
import Testing

@Suite("Shapes that change between calls") struct ShapeChangeTests {
  private static let shapes = ["wan_dyn", "wan_dyn__b1f3h8w12l7", "wan_dyn__b3f2h4w10l5"]

  private func cached() throws -> (graph: Graph, manifest: Manifest) {
    let schedule = FileManager.default.temporaryDirectory
      .appending(path: "ditcache-shapes-\(UInt64.random(in: 0 ... .max)).dcs")
    defer { try? FileManager.default.removeItem(at: schedule) }
    try """
    schedule test for any {
      steps 12
      cache stack {
        keep delta
        warmup_steps 1
        refresh every 12
      }
    }

    """.write(to: schedule, atomically: true, encoding: .utf8)
    let task = try RewriteTask(
      model: LoadedModel(Fixtures.corpus("wan_dyn.onnx")),
      schedule: schedule.path(percentEncoded: false))
    return (task.result.cached.graph, task.result.cached.manifest)
  }

  private func golden(_ name: String) throws -> (feeds: [Name: Tensor], output: [Float]) {
    let path = Fixtures.corpus("\(name).npz")
    let output = try #require(try RunJob.arrays(of: path, prefix: "out").values.first)
    return (try RunJob.arrays(of: path, prefix: "in"), output.elements(as: Float.self))
  }

  private func distance(_ results: [Name: Tensor], _ expected: [Float]) throws -> Float {
    let own = try #require(results.first { !$0.key.text.hasPrefix("ditcache/") }).value
    let numbers = own.elements(as: Float.self)
    try #require(numbers.count == expected.count)
    return zip(numbers, expected).map { abs($0 - $1) }.max() ?? 0
  }

  private func computed(_ results: [Name: Tensor]) -> [Bool] {
    results[Name(ContractNames.computed)]?.elements(as: Bool.self) ?? []
  }

  @Test("one engine and one state bundle go through three shapes and back, each right")
  func bundle() throws {
    let (graph, manifest) = try cached()
    let engine = try Engine(graph)
    var bundle = StateBundle(manifest)
    for name in Self.shapes + Self.shapes.reversed() {
      let (feeds, expected) = try golden(name)
      // Every step from 1 to 11 reuses, if the state fits.
      for (step, isFresh) in [(5, true), (6, false)] {
        if !isFresh { try #require(bundle.byteCount > 0) }
        let fed = try bundle.feeds(adding: feeds, step: step)
        let results = try engine.run(fed)
        let own = bundle.absorb(results)
        let isNewShape = name != Self.shapes.last || bundle.byteCount == 0
        if isNewShape { #expect(computed(results) == [isFresh], "\(name), step \(step)") }
        #expect(try distance(own, expected) < 1e-4, "\(name), step \(step)")
      }
    }
  }

  @Test("state of another shape that a host feeds all the same is not used")
  func stale() throws {
    let (graph, manifest) = try cached()
    let engine = try Engine(graph)
    var feeds = try golden(Self.shapes[0]).feeds
    var bundle = StateBundle(manifest)
    _ = bundle.absorb(try engine.run(bundle.feeds(adding: feeds, step: 0)))
    let state = try bundle.feeds(adding: feeds, step: 5).filter {
      $0.key.text.hasPrefix("ditcache/")
    }
    for name in Self.shapes.dropFirst() + [Self.shapes[0]] {
      let (own, expected) = try golden(name)
      feeds = own.merging(state) { first, _ in first }
      let results = try engine.run(feeds)
      #expect(computed(results) == [name != Self.shapes[0]], "\(name)")
      #expect(try distance(results, expected) < 1e-4, "\(name)")
    }
  }

  @Test("a plan is made once for each shape, and is still there after others")
  func plans() throws {
    let engine = try Engine(LoadedModel(Fixtures.corpus("wan_dyn.onnx")).graph)
    func plan(_ name: String) throws -> Plan {
      try engine.plan(for: golden(name).feeds.mapValues(\.shape))
    }
    let first = try plan(Self.shapes[0])
    #expect(try plan(Self.shapes[1]) !== first)
    #expect(try plan(Self.shapes[0]) === first)
  }
}
