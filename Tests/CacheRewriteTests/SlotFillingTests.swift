import CacheContract
import CacheRewrite
import GraphIR
import Interpreter
import Tensors
import Testing

/// Rules whose slots, or whose reuse, have a value that only some steps give them.
@Suite struct SlotFillingTests {
  private static let x: [Float] = [1, -2, 0.5, 3]

  /// The states at a step: the model negates its input.
  private func states(_ step: Int) -> [Float] { Self.x.map { -$0 - 0.25 * Float(step) } }

  /// Runs four steps on the toy with any number of tokens; returns each output and what computed.
  private func run(
    _ rule: String, _ convention: StateConvention, tokens: Dimension
  ) throws -> [(y: [Float], computed: Bool)] {
    let text = "schedule test for any { steps 4 cache blocks[0-1] { \(rule) } }"
    let cached = try ToyTransformer.cached(text, tokens: tokens, convention: convention)
    let engine = try Engine(cached.graph, options: EngineOptions(threads: 1))
    var bundle = StateBundle(cached.manifest)
    return try (0..<4).map { step in
      let own = Tensor(states(step).map { -$0 }, shape: try Shape([1, 2, 2]))
      let outputs = bundle.absorb(
        try engine.run(try bundle.feeds(adding: ["x": own], step: step)))
      return (
        try #require(outputs["y"]).elements(as: Float.self),
        try #require(outputs["ditcache/computed"]?.elements(as: Bool.self).first as Bool?)
      )
    }
  }

  /// What the model makes of states behind block 1.
  private func finished(_ states: [Float]) -> [Float] {
    zip(states, ToyTransformer.branch(2, states)).map { -($0 + $1) }
  }

  private func behindBlock1(_ states: [Float]) -> [Float] {
    var states = states
    for block in 0...1 {
      states = zip(states, ToyTransformer.branch(block, states)).map { $0 + $1 }
    }
    return states
  }

  private func expectNear(_ a: [Float], _ b: [Float]) {
    #expect(a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= 1e-4 }, "\(a) \(b)")
  }

  private static let shapes: [(StateConvention, Dimension)] = [
    (.optional, 2), (.optional, Dimension(symbol: "n")), (.required, 2),
    (.required, Dimension(symbol: "n")),
  ]

  @Test(arguments: shapes)
  func aSlotThatOnlyReusedStepsAssignReadsAsZeroUntilThen(
    _ convention: StateConvention, _ tokens: Dimension
  ) throws {
    let calls = try run(
      """
      slot kept slot seen
      kept := output when computed
      seen := input when reused
      refresh every 4
      reuse kept + 0.5 * seen
      """, convention, tokens: tokens)
    #expect(calls.map(\.computed) == [true, false, false, false])
    let kept = behindBlock1(states(0))
    expectNear(calls[0].y, finished(kept))
    expectNear(calls[1].y, finished(kept))
    for step in 2...3 {
      expectNear(calls[step].y, finished(zip(kept, states(step - 1)).map { $0 + 0.5 * $1 }))
    }
  }

  @Test(arguments: shapes)
  func soDoesASlotThatARuleKeepsOnce(_ convention: StateConvention, _ tokens: Dimension) throws {
    let calls = try run(
      """
      slot kept slot seen
      kept := output when computed
      seen := input(blocks[0]) when reused
      refresh every 4
      reuse kept + 0.5 * seen
      """, convention, tokens: tokens)
    #expect(calls.map(\.computed) == [true, false, false, false])
    let kept = behindBlock1(states(0))
    expectNear(calls[1].y, finished(kept))
    for step in 2...3 {
      expectNear(calls[step].y, finished(zip(kept, states(step - 1)).map { $0 + 0.5 * $1 }))
    }
  }

  @Test(arguments: shapes)
  func aReuseMayChooseBetweenATensorAndANumber(
    _ convention: StateConvention, _ tokens: Dimension
  ) throws {
    let calls = try run(
      """
      slot kept
      kept := output when computed
      refresh every 4
      reuse if step < 2 then kept else if step < 3 then 0 else input * 2
      """, convention, tokens: tokens)
    #expect(calls.map(\.computed) == [true, false, false, false])
    expectNear(calls[1].y, finished(behindBlock1(states(0))))
    expectNear(calls[2].y, [0, 0, 0, 0])
    expectNear(calls[3].y, finished(states(3).map { 2 * $0 }))
  }
}
