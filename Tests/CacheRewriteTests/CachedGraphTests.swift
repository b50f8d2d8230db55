import CacheContract
import CacheRewrite
import Foundation
import GraphIR
import Interpreter
import ModelStructure
import Tensors
import TestSupport
import Testing

private let everyOther = """
  schedule test for any {
    steps 4
    cache blocks[0-1] {
      keep delta
      refresh every 2
    }
  }
  """

@Suite struct CachedGraphTests {
  private func run(
    _ engine: Engine, _ bundle: inout StateBundle, _ x: [Float], step: Int,
    override: StateBundle.Override = .auto
  ) throws -> (y: [Float], computed: [Bool]) {
    let own = Tensor(x, shape: try Shape([1, x.count / 2, 2]))
    let feeds = try bundle.feeds(adding: ["x": own], step: step, override: override)
    let outputs = bundle.absorb(try engine.run(feeds))
    return (
      try #require(outputs["y"]).elements(), try #require(outputs["ditcache/computed"]).elements()
    )
  }

  @Test func theRewrittenGraphIsTheGoldenOne() throws {
    for convention in StateConvention.allCases {
      let cached = try ToyTransformer.cached(everyOther, convention: convention)
      let text = cached.graph.text()
      let golden = GoldenText.difference(of: text, from: "\(convention.rawValue).txt")
      #expect(golden == nil, "\(golden ?? "")")
    }
  }

  /// Every set of blocks × every list of refreshed steps, against a simulation on arrays.
  @Test func everySmallScheduleDoesWhatASimulationDoes() throws {
    let steps = 4
    for set in 1..<8 {
      let blocks = (0..<3).filter { set & (1 << $0) != 0 }
      for list in 1..<(1 << steps) {
        let refreshed = (0..<steps).filter { list & (1 << $0) != 0 }
        let cached = try ToyTransformer.cached(
          """
          schedule test for any {
            steps \(steps)
            cache blocks[\(blocks.map(String.init).joined(separator: ", "))] {
              keep delta
              refresh at [\(refreshed.map(String.init).joined(separator: ", "))]
            }
          }
          """)
        let engine = try Engine(cached.graph, options: EngineOptions(threads: 1))
        var bundle = StateBundle(cached.manifest)
        var simulation = Simulation(blocks: blocks)
        for step in 0..<steps {
          let x: [Float] = [Float(step) + 1, -2, 0.5, Float(step * step)]
          let result = try run(engine, &bundle, x, step: step)
          let computes = step == 0 || refreshed.contains(step)
          #expect(result.computed.allSatisfy { $0 == computes })
          #expect(result.y == simulation.step(x, computes: computes), "\(blocks) \(refreshed)")
        }
      }
    }
  }

  @Test func h2_overrideBeatsTheScheduleAndValidityBeatsOverride() throws {
    let cached = try ToyTransformer.cached(everyOther)
    let engine = try Engine(cached.graph, options: EngineOptions(threads: 1))
    var bundle = StateBundle(cached.manifest)
    let x: [Float] = [1, 2, 3, 4]
    #expect(try run(engine, &bundle, x, step: 1, override: .reuse).computed == [true])
    #expect(try run(engine, &bundle, x, step: 1, override: .auto).computed == [false])
    #expect(try run(engine, &bundle, x, step: 1, override: .compute).computed == [true])
    #expect(try run(engine, &bundle, x, step: 2, override: .reuse).computed == [false])
  }

  @Test func h8_stepsPastTheTableReadItsEnds() throws {
    let cached = try ToyTransformer.cached(everyOther)
    let engine = try Engine(cached.graph, options: EngineOptions(threads: 1))
    var bundle = StateBundle(cached.manifest)
    _ = try run(engine, &bundle, [1, 2, 3, 4], step: 0)
    #expect(try run(engine, &bundle, [1, 2, 3, 4], step: 99).computed == [false])
    #expect(try run(engine, &bundle, [1, 2, 3, 4], step: -7).computed == [true])
  }

  @Test func h3_stateOfAnotherShapeIsNotUsedEvenWhenItIsCalledValid() throws {
    let cached = try ToyTransformer.cached(everyOther, tokens: Dimension(symbol: "n"))
    let engine = try Engine(cached.graph, options: EngineOptions(threads: 1))
    let slot = try #require(cached.manifest.state.first { !$0.isValidity })
    for (tokens, computes) in [(2, false), (1, true), (3, true), (0, true)] {
      let outputs = try engine.run([
        "x": Tensor([Float](repeating: 1, count: 4), shape: try Shape([1, 2, 2])),
        "ditcache/step": Tensor([Int64(1)]),
        Name(ContractNames.valid(rule: "blocks")): Tensor([true]),
        Name(slot.input): Tensor(
          [Float](repeating: 7, count: 2 * tokens), shape: try Shape([1, tokens, 2])),
      ])
      #expect(outputs["ditcache/computed"]?.elements(as: Bool.self) == [computes], "\(tokens)")
    }
  }

  @Test func h3_aBundleForgetsItsSlotsWhenTheInputsChangeShape() throws {
    let cached = try ToyTransformer.cached(everyOther, tokens: Dimension(symbol: "n"))
    let engine = try Engine(cached.graph, options: EngineOptions(threads: 1))
    var bundle = StateBundle(cached.manifest)
    _ = try run(engine, &bundle, [1, 2, 3, 4], step: 0)
    #expect(try run(engine, &bundle, [1, 2], step: 1).computed == [true])
  }

  @Test func h9_branchesDoNotSeeEachOthersState() throws {
    let cached = try ToyTransformer.cached(everyOther)
    let engine = try Engine(cached.graph, options: EngineOptions(threads: 1))
    var alone = StateBundle(cached.manifest)
    var cond = StateBundle(cached.manifest)
    var uncond = StateBundle(cached.manifest, branch: 1)
    for step in 0..<4 {
      let x: [Float] = [Float(step), 1, 2, 3]
      let expected = try run(engine, &alone, x, step: step).y
      _ = try run(engine, &uncond, x.map { -5 * $0 }, step: step)
      #expect(try run(engine, &cond, x, step: step).y == expected)
    }
  }

  @Test func theOriginalFeedStillRunsWithOptionalState() throws {
    let plain = try Engine(ToyTransformer.graph(), options: EngineOptions(threads: 1))
    let cached = try ToyTransformer.cached(everyOther)
    let engine = try Engine(cached.graph, options: EngineOptions(threads: 1))
    let x = Tensor([Float(1), 2, 3, 4], shape: try Shape([1, 2, 2]))
    let expected = try plain.run(["x": x])["y"]?.elements(as: Float.self)
    #expect(try engine.run(["x": x])["y"]?.elements(as: Float.self) == expected)
  }

  @Test func requiredStateHasNoDefaults() throws {
    let cached = try ToyTransformer.cached(everyOther, convention: .required)
    let graph = cached.graph
    #expect(graph.requiredInputs.count == graph.inputs.count)
  }

  @Test func aReusedStepReturnsTheVeryStateItWasGiven() throws {
    let cached = try ToyTransformer.cached(everyOther)
    let engine = try Engine(cached.graph, options: EngineOptions(threads: 1))
    let slot = try #require(cached.manifest.state.first { !$0.isValidity })
    let state = Tensor([Float(1), 2, 3, 4], shape: try Shape([1, 2, 2]))
    let outputs = try engine.run([
      "x": state, "ditcache/step": Tensor([Int64(1)]),
      Name(ContractNames.valid(rule: "blocks")): Tensor([true]), Name(slot.input): state,
    ])
    #expect(outputs[Name(slot.output)]?.storage === state.storage)
  }

  @Test func halfPrecisionSlotsRoundTheDelta() throws {
    let cached = try ToyTransformer.cached(
      everyOther.replacingOccurrences(
        of: "keep delta", with: "keep delta as bfloat16"))
    let engine = try Engine(cached.graph, options: EngineOptions(threads: 1))
    var bundle = StateBundle(cached.manifest)
    let x: [Float] = [1.001, 2.003, 3.007, 4.009]
    let exact = try run(engine, &bundle, x, step: 0).y
    #expect(cached.manifest.state.contains { $0.dataType == "bfloat16" })
    let reused = try run(engine, &bundle, x, step: 1)
    #expect(reused.computed == [false])
    #expect(reused.y != exact)
    #expect(zip(reused.y, exact).allSatisfy { abs($0 - $1) <= 0.01 * abs($1) + 0.05 })
  }

  @Test func i9_aCachedGraphIsNotCachedAgain() throws {
    let cached = try ToyTransformer.cached(everyOther).graph
    #expect {
      try CacheRewriter().rewrite(
        cached, ModelStructure(of: ToyTransformer.graph()),
        following: try ToyTransformer.schedule(everyOther), originalDigest: "none")
    } throws: { error in
      "\(error)".contains("cached already")
    }
  }

  @Test func b19_blocksPastTheEndNameBothNumbers() throws {
    #expect {
      try ToyTransformer.cached(everyOther.replacingOccurrences(of: "0-1", with: "0-7"))
    } throws: { error in
      "\(error)".contains("blocks[0-7]") && "\(error)".contains("3 blocks (0-2)")
    }
  }
}

/// The toy model with cached runs, on plain arrays.
private struct Simulation {
  let runs: [ClosedRange<Int>]
  var deltas: [Int: [Float]] = [:]

  init(blocks: [Int]) {
    var runs: [ClosedRange<Int>] = []
    for block in blocks {
      if let last = runs.last, last.upperBound + 1 == block {
        runs[runs.count - 1] = last.lowerBound...block
      } else {
        runs.append(block...block)
      }
    }
    self.runs = runs
  }

  mutating func step(_ x: [Float], computes: Bool) -> [Float] {
    var states = x.map { -$0 }
    var block = 0
    while block < ToyTransformer.weights.count {
      let run = runs.first { $0.lowerBound == block }
      if let run, !computes, let delta = deltas[run.lowerBound] {
        states = zip(states, delta).map { $0 + $1 }
        block = run.upperBound + 1
        continue
      }
      let before = states
      for index in run ?? block...block {
        states = zip(states, ToyTransformer.branch(index, states)).map { $0 + $1 }
      }
      if let run { deltas[run.lowerBound] = zip(states, before).map { $0 - $1 } }
      block = (run?.upperBound ?? block) + 1
    }
    return states.map { -$0 }
  }
}
