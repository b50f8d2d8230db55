import GraphIR
import Operators
import Tensors
import Testing

@Suite struct EinsumTests {
  @Test(arguments: [
    ("ij,jk->ik", ["A", "B"], [2, 4], [5, 8, 11, 14, -4, 8, 20, 32]),
    (" ij, jk ", ["A", "B"], [2, 4], [5, 8, 11, 14, -4, 8, 20, 32]),
    ("ij,jk->k", ["A", "B"], [4], [1, 16, 31, 46]),
    ("ij->ji", ["A"], [3, 2], [0, 3, 1, 4, 2, 5]),
    ("ij->", ["A"], [], [15]),
    ("ii->i", ["S"], [3], [0, 4, 8]),
    ("ii", ["S"], [], [12]),
    ("ij,ij->ij", ["A", "A"], [2, 3], [0, 1, 4, 9, 16, 25]),
    ("i,j->ij", ["v", "v"], [3, 3], [1, -1, 2, -1, 1, -2, 2, -2, 4]),
    ("ij,kj,k->i", ["A", "S", "v"], [2], [37, 136]),
    ("bij,bjk->bki", ["T", "U"], [2, 1, 2], [5, 14, 86, 122]),
  ])
  func equationsYieldWhatNumPyYields(
    equation: String, names: [String], shape: [Int], expected: [Float]
  ) throws {
    let operands = try names.map { try operand($0) }
    let attributes = [Attribute("equation", .text(equation))]
    for inputs in [operands, try operands.map { try $0.scattered() }] {
      let result = try OperatorHarness.run("Einsum", inputs, attributes)
      expectClose(result[0], expected, shape: shape)
    }
  }

  @Test func integersAreMultiplied() throws {
    let x = try Tensor.of([1, 2, 3, 4] as [Int64], 2, 2)
    let result = try OperatorHarness.run(
      "Einsum", [x, x], [Attribute("equation", .text("ij,jk->ki"))])
    #expect(result[0].integers() == [7, 15, 10, 22])
  }

  @Test func sizesTravelWithTheirLabels() throws {
    let size = Dimension(symbol: "s")
    let fact = try OperatorHarness.infer(
      "Einsum", [ValueFact(.float32, [size, 3]), ValueFact(.float32, [3, 4])],
      [Attribute("equation", .text("ij,jk->ki"))])
    #expect(fact[0].shape == [4, size])
  }

  @Test(arguments: [
    ("ij,jk->ik", "bad-operands"), ("ijk->i", "bad-operands"), ("ij->ik", "bad-operands"),
    ("ij->ii", "bad-operands"), ("...j->j", "unsupported-operator"),
    ("ij->i->j", "unsupported-operator"),
  ])
  func equationsThatDoNotFitAreRefused(equation: String, code: String) {
    let refusal = OperatorHarness.refusal(
      "Einsum", [ValueFact(.float32, [2, 3])], [Attribute("equation", .text(equation))])
    #expect(refusal?.code == code)
  }

  @Test func aLabelHasOneSize() throws {
    let attributes = [Attribute("equation", .text("ij,jk->ik"))]
    let bad = [ValueFact(.float32, [2, 3]), ValueFact(.float32, [4, 5])]
    #expect(OperatorHarness.refusal("Einsum", bad, attributes)?.code == "bad-operands")
    let good = [ValueFact(.float32, [2, 4]), ValueFact(.float32, [4, 5])]
    try expectStrictness("Einsum", good, attributes)
    #expect(OperatorHarness.refusal("Einsum", good)?.code == "bad-operands")
  }

  private func operand(_ name: String) throws -> Tensor {
    func count(_ count: Int, from first: Float = 0) -> [Float] {
      (0..<count).map { first + Float($0) }
    }
    return switch name {
    case "A": try Tensor.of(count(6), 2, 3)
    case "B": try Tensor.of(count(12, from: -5), 3, 4)
    case "S": try Tensor.of(count(9), 3, 3)
    case "T": try Tensor.of(count(12), 2, 2, 3)
    case "U": try Tensor.of(count(6), 2, 3, 1)
    default: try Tensor.of([1, -1, 2] as [Float], 3)
    }
  }
}
