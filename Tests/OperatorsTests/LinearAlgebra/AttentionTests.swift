import Glibc
import GraphIR
import Operators
import Tensors
import Testing

@Suite struct AttentionTests {
  private static let heads = 4
  private static let keyHeads = 2

  @Test func withoutAMaskEveryKeyIsSeen() throws {
    let result = try OperatorHarness.run("Attention", try operands(), opset: 23)
    expectClose(result[0], try reference(), shape: [2, 4, 3, 6], tolerance: 2e-6)
  }

  @Test func scaleCausalityAndSoftcapAreApplied() throws {
    let attributes = [
      Attribute("scale", .float(0.3)), Attribute("is_causal", .int(1)),
      Attribute("softcap", .float(1.5)), Attribute("qk_matmul_output_mode", .int(0)),
    ]
    let result = try OperatorHarness.run("Attention", try operands(), attributes, opset: 23)
    let expected = try reference(scale: 0.3, softcap: 1.5) { $0[3] <= $0[2] ? 0 : -.infinity }
    expectClose(result[0], expected, shape: [2, 4, 3, 6], tolerance: 2e-6)
  }

  @Test func aBoolMaskBroadcasts() throws {
    let seen = [true, true, false, true, false, false, false, true, true, true]
    let mask = try Tensor.of(seen, 2, 1, 1, 5)
    let result = try OperatorHarness.run("Attention", try operands() + [mask], opset: 24)
    let expected = try reference { seen[$0[0] * 5 + $0[3]] ? 0 : -.infinity }
    expectClose(result[0], expected, shape: [2, 4, 3, 6], tolerance: 2e-6)
  }

  @Test func aFloatMaskIsAdded() throws {
    let mask = try Tensor.pattern(3, 5, seed: 9)
    let result = try OperatorHarness.run("Attention", try operands() + [mask], opset: 23)
    let expected = try reference { Double(mask.floats[$0[2] * 5 + $0[3]]) }
    expectClose(result[0], expected, shape: [2, 4, 3, 6], tolerance: 2e-6)
  }

  @Test func aQueryThatSeesNothingYieldsZeros() throws {
    let seen = [Bool](repeating: true, count: 5) + [Bool](repeating: false, count: 5)
    let mask = try Tensor.of(seen, 2, 1, 1, 5)
    let result = try OperatorHarness.run("Attention", try operands() + [mask], opset: 23)
    #expect(result[0].floats[72...].allSatisfy { $0 == 0 })
    #expect(result[0].floats[..<72].contains { $0 != 0 })
  }

  @Test func operandsOfRankThreeHoldTheirHeadsSideBySide() throws {
    let flat = try operands().map { tensor in
      let (b, h, s, d) = (tensor.shape[0], tensor.shape[1], tensor.shape[2], tensor.shape[3])
      return tensor.view(
        shape: try Shape([b, s, h, d]), strides: [h * s * d, d, s * d, 1]
      ).contiguous().view(shape: try Shape([b, s, h * d]), strides: [s * h * d, h * d, 1])
    }
    let attributes = [
      Attribute("q_num_heads", .int(Self.heads)), Attribute("kv_num_heads", .int(Self.keyHeads)),
    ]
    let result = try OperatorHarness.run("Attention", flat, attributes, opset: 23)[0]
    #expect(result.shape.dimensions == [2, 3, 24])
    let heads = result.view(shape: try Shape([2, 4, 3, 6]), strides: [72, 6, 24, 1])
    expectClose(heads, try reference(), tolerance: 2e-6)
    #expect(OperatorHarness.refusal("Attention", flat.map(fact), opset: 23) != nil)
  }

  @Test func sizesTravelAndCostsCountBothProducts() throws {
    let (length, keys) = (Dimension(symbol: "s"), Dimension(symbol: "l"))
    let facts = [
      ValueFact(.float32, [1, 8, length, 64]), ValueFact(.float32, [1, 8, keys, 64]),
      ValueFact(.float32, [1, 8, keys, 32]),
    ]
    #expect(
      try OperatorHarness.infer("Attention", facts, opset: 23)[0].shape == [1, 8, length, 32])
    #expect(try OperatorHarness.flops("Attention", facts, opset: 23) == nil)
    let concrete = try operands().map(fact)
    #expect(
      try OperatorHarness.flops("Attention", concrete, opset: 23)
        == 2 * (2 * 4 * 3 * 5) * (7 + 6))
  }

  @Test func halfAPastAndLengthsOfALaterSetAreRefused() throws {
    let facts = try operands().map(fact)
    let past = facts + [nil, ValueFact(.float32, [2, 2, 1, 7])]
    #expect(OperatorHarness.refusal("Attention", past, opset: 23)?.code == "bad-operands")
    let lengths = facts + [nil, nil, nil, ValueFact(.int64, [2])]
    #expect(OperatorHarness.refusal("Attention", lengths, opset: 23)?.code == "bad-operands")
    #expect(OperatorHarness.refusal("Attention", facts, opset: 22) != nil)
    try expectStrictness("Attention", facts, opset: 23)
  }

  @Test func float64IsComputedInItself() throws {
    let wide = try operands().map {
      try OperatorHarness.run("Cast", [$0], [Attribute("to", .int(11))])[0]
    }
    let result = try OperatorHarness.run("Attention", wide, opset: 23)[0]
    for (a, b) in zip(result.elements(as: Double.self), try reference()) {
      #expect(abs(a - Double(b)) < 1e-6)
    }
  }

  @Test func whatDoesNotFitIsRefused() throws {
    let facts = try operands().map(fact)
    let bad: [[ValueFact]] = [
      [facts[0], ValueFact(.float32, [2, 2, 5, 8]), facts[2]],
      [facts[0], facts[1], ValueFact(.float32, [2, 2, 4, 6])],
      [facts[0], ValueFact(.float32, [2, 3, 5, 7]), ValueFact(.float32, [2, 3, 5, 6])],
      [facts[0], facts[1], ValueFact(.float16, [2, 2, 5, 6])],
      facts + [ValueFact(.bool, [3, 4])],
      facts + [ValueFact(.int64, [3, 5])],
      [ValueFact(.float32, [3, 7]), ValueFact(.float32, [5, 7]), ValueFact(.float32, [5, 6])],
    ]
    for inputs in bad {
      let refusal = OperatorHarness.refusal("Attention", inputs, opset: 23)
      #expect(refusal?.code == "bad-operands", "\(inputs.map(\.type))")
    }
  }

  private func operands() throws -> [Tensor] {
    [
      try Tensor.pattern(2, Self.heads, 3, 7, seed: 1, scale: 2),
      try Tensor.pattern(2, Self.keyHeads, 5, 7, seed: 2, scale: 2),
      try Tensor.pattern(2, Self.keyHeads, 5, 6, seed: 3),
    ]
  }

  private func fact(_ tensor: Tensor) -> ValueFact {
    ValueFact(.tensor(TensorType(tensor.dataType, tensor.shape)))
  }

  /// Attention by its definition, in double precision; `mask` is what is added to the score of
  /// [batch, head, query, key].
  private func reference(
    scale: Double = 1 / 7.0.squareRoot(), softcap: Double? = nil,
    mask: ([Int]) -> Double = { _ in 0 }
  ) throws -> [Float] {
    let (query, key, value) = (
      try operands()[0].floats, try operands()[1].floats, try operands()[2].floats
    )
    var result: [Float] = []
    for batch in 0..<2 {
      for head in 0..<Self.heads {
        let shared = batch * Self.keyHeads + head / (Self.heads / Self.keyHeads)
        for row in 0..<3 {
          let weights = (0..<5).map { column in
            var score = 0.0
            for k in 0..<7 {
              score +=
                Double(query[((batch * Self.heads + head) * 3 + row) * 7 + k])
                * Double(key[(shared * 5 + column) * 7 + k])
            }
            score *= scale
            if let softcap { score = softcap * tanh(score / softcap) }
            return exp(score + mask([batch, head, row, column]))
          }
          let sum = weights.reduce(0, +)
          for element in 0..<6 {
            var total = 0.0
            for column in 0..<5 {
              total += weights[column] / sum * Double(value[(shared * 5 + column) * 6 + element])
            }
            result.append(Float(total))
          }
        }
      }
    }
    return result
  }
}
