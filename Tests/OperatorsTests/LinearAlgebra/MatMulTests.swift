import GraphIR
import Operators
import Tensors
import Testing

@Suite struct MatMulTests {
  @Test func aProductOfKnownMatrices() throws {
    let a = try Tensor.of([1, 2, 3, 4, 5, 6] as [Float], 2, 3)
    let b = try Tensor.of([7, 8, 9, 10, 11, 12] as [Float], 3, 2)
    let result = try OperatorHarness.run("MatMul", [a, b])
    #expect(result[0].floats == [58, 64, 139, 154])
  }

  @Test(arguments: [
    ([2, 3], [3, 4]), ([5, 2, 3], [3, 4]), ([5, 2, 3], [5, 3, 4]), ([2, 1, 2, 3], [5, 3, 4]),
    ([3], [3, 4]), ([2, 3], [3]), ([3], [3]), ([3], [2, 3, 4]), ([2, 0], [0, 4]),
  ])
  func stacksAndVectorsAgreeWithLoops(shapes: ([Int], [Int])) throws {
    let a = try pattern(shapes.0, seed: 1)
    let b = try pattern(shapes.1, seed: 2)
    let (expected, shape) = product(a, b)
    for (x, y) in [(a, b), (try a.scattered(), try b.scattered())] {
      let result = try OperatorHarness.run("MatMul", [x, y])
      expectClose(result[0], expected, shape: shape)
    }
  }

  @Test func integersAreMultiplied() throws {
    let a = try Tensor.of([1, -2, 3, 4] as [Int64], 2, 2)
    let result = try OperatorHarness.run("MatMul", [a, a])
    #expect(result[0].integers() == [-5, -10, 15, 10])
  }

  @Test func symbolsTravelThroughTheProduct() throws {
    let (batch, length) = (Dimension(symbol: "b"), Dimension(symbol: "s"))
    let fact = try OperatorHarness.infer(
      "MatMul", [ValueFact(.float32, [batch, length, 8]), ValueFact(.float32, [8, 16])])
    #expect(fact[0].shape == [batch, length, 16])
  }

  @Test func costsCountMultiplyAndAdd() throws {
    let inputs = [ValueFact(.float32, [3, 5, 8]), ValueFact(.float32, [8, 16])]
    #expect(try OperatorHarness.flops("MatMul", inputs) == 2 * 3 * 5 * 8 * 16)
    let open = [ValueFact(.float32, [Dimension(symbol: "s"), 8]), ValueFact(.float32, [8, 16])]
    #expect(try OperatorHarness.flops("MatMul", open) == nil)
  }

  @Test func whatDoesNotFitIsRefused() throws {
    let matrix = ValueFact(.float32, [2, 3])
    for other in [
      ValueFact(.float32, [4, 2]), ValueFact(.float32, []), ValueFact(.int64, [3, 2]),
      ValueFact(.bool, [3, 2]),
    ] {
      #expect(OperatorHarness.refusal("MatMul", [matrix, other])?.code == "bad-operands")
    }
    let stacks = [ValueFact(.float32, [2, 4, 4]), ValueFact(.float32, [3, 4, 4])]
    #expect(OperatorHarness.refusal("MatMul", stacks)?.code == "bad-operands")
    try expectStrictness("MatMul", [ValueFact(.float32, [2, 2]), ValueFact(.float32, [2, 2])])
  }

  private func pattern(_ dimensions: [Int], seed: Int) throws -> Tensor {
    let shape = try Shape(dimensions)
    let elements = try Tensor.pattern(shape.elementCount, seed: seed)
    return elements.view(shape: shape, strides: shape.rowMajorStrides)
  }

  /// The product by its definition, in double precision.
  private func product(_ a: Tensor, _ b: Tensor) -> (elements: [Float], shape: [Int]) {
    let left = a.rank == 1 ? [1] + a.shape.dimensions : a.shape.dimensions
    let right = b.rank == 1 ? b.shape.dimensions + [1] : b.shape.dimensions
    let (rows, inner, columns) = (
      left[left.count - 2], left[left.count - 1], right[right.count - 1]
    )
    let batchA = Array(left.dropLast(2))
    let batchB = Array(right.dropLast(2))
    let rank = max(batchA.count, batchB.count)
    let paddedA = Array(repeating: 1, count: rank - batchA.count) + batchA
    let paddedB = Array(repeating: 1, count: rank - batchB.count) + batchB
    let batch = zip(paddedA, paddedB).map { max($0, $1) }
    let (x, y) = (a.floats, b.floats)
    var elements: [Float] = []
    for matrix in 0..<batch.reduce(1, *) {
      var (offsetA, offsetB, rest) = (0, 0, matrix)
      var (stepA, stepB) = (rows * inner, inner * columns)
      for axis in (0..<rank).reversed() {
        let index = rest % batch[axis]
        rest /= batch[axis]
        offsetA += (paddedA[axis] == 1 ? 0 : index) * stepA
        offsetB += (paddedB[axis] == 1 ? 0 : index) * stepB
        stepA *= paddedA[axis]
        stepB *= paddedB[axis]
      }
      for row in 0..<rows {
        for column in 0..<columns {
          var total = 0.0
          for k in 0..<inner {
            total +=
              Double(x[offsetA + row * inner + k]) * Double(y[offsetB + k * columns + column])
          }
          elements.append(Float(total))
        }
      }
    }
    return (elements, batch + (a.rank == 1 ? [] : [rows]) + (b.rank == 1 ? [] : [columns]))
  }
}
