import Kernels
import Tensors
import Testing

struct MatrixMultiplicationTests {
  static let shapes: [([Int], [Int])] = [
    ([3], [3]), ([3], [3, 4]), ([2, 3], [3]), ([2, 3], [3, 4]), ([1, 1], [1, 1]),
    ([5, 2, 3], [3, 4]), ([5, 2, 3], [5, 3, 4]), ([2, 3], [5, 3, 4]), ([2, 1, 4, 3], [3, 3, 2]),
    ([2, 3, 4, 5], [2, 3, 5, 1]), ([3, 1, 5], [5, 7]), ([2, 0], [0, 3]), ([0, 2], [2, 3]),
    ([4, 2, 3], [3]), ([3], [4, 3, 2]), ([1, 5], [5, 9]), ([9, 5], [5, 1]),
  ]

  private func wantedShape(_ a: [Int], _ b: [Int]) throws -> [Int] {
    let x = try Shape(Array(a.dropLast(2)))
    let y = try Shape(Array(b.dropLast(2)))
    let batch = try #require(x.broadcast(with: y)).dimensions
    return batch + (a.count > 1 ? [a[a.count - 2]] : []) + (b.count > 1 ? [b[b.count - 1]] : [])
  }

  private func reference(_ a: Tensor, _ b: Tensor, _ index: [Int]) -> Double {
    var batch = index
    let column = b.rank > 1 ? batch.removeLast() : nil
    let row = a.rank > 1 ? batch.removeLast() : nil
    return (0..<a.shape[a.rank - 1]).reduce(0) { sum, k in
      let x = a.rank > 1 ? a.float(batch + [row ?? 0, k]) : a.float([k])
      let y = b.rank > 1 ? b.float(batch + [k, column ?? 0]) : b.float([k])
      return sum + x * y
    }
  }

  @Test(arguments: Layout.allCases, Layout.allCases)
  func everyPairOfLayoutsAndShapesGivesTheProduct(left: Layout, right: Layout) throws {
    var numbers = Numbers(seed: 5)
    for (x, y) in Self.shapes {
      let a = try left.tensor(x, &numbers)
      let b = try right.tensor(y, &numbers)
      let output = try Tensor.output(.float32, wantedShape(x, y))
      try MatrixMultiplication.multiply(a, b, into: output)
      expect(output, near: 1e-6, "\(x) \(left) · \(y) \(right)") { reference(a, b, $0) }
    }
  }

  @Test(arguments: Layout.allCases)
  func integersAreMultipliedExactly(layout: Layout) throws {
    var numbers = Numbers(seed: 6)
    for (x, y) in Self.shapes {
      let scale = Tensor(scalar: Float(1000))
      let scaled = try [layout.tensor(x, &numbers), layout.tensor(y, &numbers)].map { tensor in
        let output = try Tensor.output(.float32, tensor.shape.dimensions)
        try Elementwise.binary(.multiply, tensor, scale, into: output)
        try Elementwise.unary(.round, output, into: output)
        return output
      }
      let a = try Casting.cast(scaled[0], to: .int64)
      let b = try Casting.cast(scaled[1], to: .int64)
      let output = try Tensor.output(.int64, wantedShape(x, y))
      try MatrixMultiplication.multiply(a, b, into: output)
      let wide = try Casting.cast(output, to: .float32)
      expect(wide, near: 1e-6) { reference(scaled[0], scaled[1], $0) }
    }
  }

  @Test func aThreadedProductIsRightAndTheSameTwice() throws {
    var numbers = Numbers(seed: 7)
    let a = try numbers.tensor([2, 150, 128])
    let b = try numbers.tensor([128, 190])
    let transposed = try Layout.transposed.tensor([150, 200], &numbers)
    let outputs = try withThreads(3) {
      try (0..<2).map { _ in
        let output = try Tensor.output(.float32, [2, 150, 190])
        try MatrixMultiplication.multiply(a, b, into: output)
        return output
      }
    }
    expect(outputs[0], near: 3e-5) { reference(a, b, $0) }
    expectEqualBits(outputs[0], outputs[1])
    let wide = try Tensor.output(.float32, [190, 200])
    let left = try Layout.transposed.tensor([190, 150], &numbers)
    try MatrixMultiplication.multiply(left, transposed, into: wide)
    expect(wide, near: 3e-5) { reference(left, transposed, $0) }
  }

  @Test(arguments: [false, true], [false, true])
  func gemmScalesTransposesAndAdds(transposeA: Bool, transposeB: Bool) throws {
    var numbers = Numbers(seed: 8)
    for layout in Layout.allCases {
      let a = try layout.tensor(transposeA ? [3, 2] : [2, 3], &numbers)
      let b = try layout.tensor(transposeB ? [5, 3] : [3, 5], &numbers)
      for c in [[], [5], [2, 1], [2, 5]] {
        let addend = try numbers.tensor(c)
        let output = try Tensor.output(.float32, [2, 5])
        try MatrixMultiplication.gemm(
          a, b, addend, alpha: 0.5, beta: -2, transposeA: transposeA, transposeB: transposeB,
          into: output)
        expect(output, near: 1e-6) { index in
          (0..<3).reduce(-2 * addend.float(index)) { sum, k in
            sum + 0.5 * a.float(transposeA ? [k, index[0]] : [index[0], k])
              * b.float(transposeB ? [index[1], k] : [k, index[1]])
          }
        }
      }
      let output = try Tensor.output(.float32, [2, 5])
      try MatrixMultiplication.gemm(
        a, b, transposeA: transposeA, transposeB: transposeB, into: output)
      #expect(output.elements(as: Float.self).allSatisfy { $0.isFinite })
    }
  }

  @Test func aDimensionBeyondBLASIsRefused() throws {
    let one = Tensor([Float(1)])
    let huge = one.view(shape: try Shape([1 << 32, 1]), strides: [1, 1])
    let output = one.view(shape: try Shape([1 << 32, 1]), strides: [1, 1])
    let error = #expect(throws: KernelError.self) {
      try MatrixMultiplication.multiply(
        huge, one.view(shape: try Shape([1, 1]), strides: [1, 1]), into: output)
    }
    #expect(error?.code == .tooLarge)
  }
}
