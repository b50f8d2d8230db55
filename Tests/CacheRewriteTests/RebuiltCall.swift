import CacheContract
import CacheRewrite
import GraphIR
import Interpreter
import Tensors
import Testing

/// A model of one node whose unconditional call a rule rebuilds: expressions by themselves.
enum RebuiltCall {
  static let tokens = 5
  static let width = 6
  /// `(i · 37 mod 101) / 50 − 1` for the 30 elements of [1, 5, 6].
  static let input = (0..<30).map { Float($0 * 37 % 101) / 50 - 1 }
  /// `(i · 53 mod 97) / 40 − 1`.
  static let kept = (0..<30).map { Float($0 * 53 % 97) / 40 - 1 }

  /// What a rule puts in place of `input` once it has kept `kept` in `k`, and filled other slots.
  static func value(of expression: String, slots: [String] = []) throws -> [Float] {
    var model = Graph(name: "model", opsets: ["": 20])
    let type: ValueType = .tensor(.float32, [1, 5, 6])
    let x = model.addInput("x", type: type)
    model.addOutput(model.emit("Neg", [x], name: "y", type: type))
    let schedule = try ToyTransformer.schedule(
      """
      schedule test for any {
        steps 2
        cache uncond {
          slot k
          k := output when computed
          \(slots.joined(separator: "\n    "))
          compute when step == 0
          reuse \(expression)
        }
      }
      """)
    let call = try #require(
      try CacheRewriter().unconditionalCall(
        of: model, following: schedule, originalDigest: "none"))
    let engine = try Engine(call.graph, options: EngineOptions(threads: 1))
    var bundle = StateBundle(call.manifest)
    var results: [Name: Tensor] = [:]
    let shape = try Shape([1, tokens, width])
    for step in 0..<2 {
      let feeds: [Name: Tensor] = [
        "cond": Tensor(input, shape: shape), "uncond": Tensor(kept, shape: shape),
        "timestep": Tensor([Float(500)]),
      ]
      results = bundle.absorb(
        try engine.run(try bundle.feeds(adding: feeds, step: step), trace: nil))
      let flags = try #require(results[Name(ContractNames.computed)]).elements(as: Bool.self)
      #expect(flags == [step == 0])
    }
    return try #require(results["rebuilt"]).elements(as: Float.self)
  }
}
