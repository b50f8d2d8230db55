import GraphIR
import Operators
import Tensors
import Testing

@Suite struct GemmTests {
  private struct Case: Sendable {
    var transposeA = false
    var transposeB = false
    var alpha: Float = 1
    var beta: Float = 1
    var addend: [Int]?
  }

  private static let cases = [
    Case(), Case(transposeB: true, addend: [4]), Case(transposeA: true, addend: [3, 4]),
    Case(transposeA: true, transposeB: true, alpha: 0.5, beta: -2, addend: [3, 1]),
    Case(alpha: 2, beta: 0.25, addend: []), Case(beta: 3, addend: [1, 4]),
  ]

  @Test(arguments: cases.indices) func productsAgreeWithLoops(number: Int) throws {
    let test = Self.cases[number]
    let a = try test.transposeA ? Tensor.pattern(5, 3) : Tensor.pattern(3, 5)
    let b = try test.transposeB ? Tensor.pattern(4, 5, seed: 2) : Tensor.pattern(5, 4, seed: 2)
    let c = try test.addend.map { dimensions in
      let shape = try Shape(dimensions)
      return try Tensor.pattern(shape.elementCount, seed: 3)
        .view(shape: shape, strides: shape.rowMajorStrides)
    }
    var expected: [Float] = []
    for row in 0..<3 {
      for column in 0..<4 {
        var total = 0.0
        for k in 0..<5 {
          let x = a.floats[test.transposeA ? k * 3 + row : row * 5 + k]
          let y = b.floats[test.transposeB ? column * 5 + k : k * 4 + column]
          total += Double(x) * Double(y)
        }
        let position =
          switch test.addend {
          case [4], [1, 4]: column
          case [3, 1]: row
          case [3, 4]: row * 4 + column
          default: 0
          }
        let addend = c.map { Double($0.floats[position]) } ?? 0
        expected.append(Float(Double(test.alpha) * total + Double(test.beta) * addend))
      }
    }
    let attributes = [
      Attribute("transA", .int(test.transposeA ? 1 : 0)),
      Attribute("transB", .int(test.transposeB ? 1 : 0)),
      Attribute("alpha", .float(test.alpha)), Attribute("beta", .float(test.beta)),
    ]
    for view in [a, try a.scattered()] {
      let result = try OperatorHarness.run("Gemm", [view, b, c], attributes)
      expectClose(result[0], expected, shape: [3, 4])
    }
  }

  @Test func typingCostAndRefusals() throws {
    let size = Dimension(symbol: "s")
    let transposed = [Attribute("transB", .int(1))]
    let (a, b) = (ValueFact(.float32, [size, 8]), ValueFact(.float32, [16, 8]))
    let fact = try OperatorHarness.infer("Gemm", [a, b, ValueFact(.float32, [16])], transposed)
    #expect(fact[0].shape == [size, 16])
    #expect(try OperatorHarness.flops("Gemm", [a, b], transposed) == nil)
    #expect(
      try OperatorHarness.flops("Gemm", [ValueFact(.float32, [2, 8]), b], transposed)
        == 2 * 2 * 8 * 16)
    #expect(OperatorHarness.refusal("Gemm", [a, b])?.code == "bad-operands")
    for bad in [
      ValueFact(.float32, [15]), ValueFact(.float32, [1, 1, 16]), ValueFact(.int32, [16]),
      ValueFact(.float32, [2, 16]),
    ] {
      let rows = ValueFact(.float32, [1, 8])
      #expect(OperatorHarness.refusal("Gemm", [rows, b, bad], transposed)?.code == "bad-operands")
    }
    let stack = ValueFact(.float32, [2, 2, 8])
    #expect(OperatorHarness.refusal("Gemm", [stack, b], transposed)?.code == "bad-operands")
    #expect(OperatorHarness.refusal("Gemm", [a, b], transposed, opset: 10) != nil)
    try expectStrictness("Gemm", [a, b], transposed)
  }
}
