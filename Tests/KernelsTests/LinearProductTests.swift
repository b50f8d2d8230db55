import Kernels
import Tensors
import Testing

/// Our own products, and what follows a product.
@Suite struct LinearProductTests {
  static let sizes: [(rows: Int, depth: Int, columns: Int)] = [
    (8, 1, 8), (9, 3, 33), (12, 64, 32), (23, 100, 70), (97, 769, 40), (200, 1600, 130), (7, 5, 9),
  ]

  @Test(arguments: [1, 2, 5], [false, true])
  func productsOfAllSizesAreRight(threads: Int, isTransposed: Bool) throws {
    var numbers = Numbers(seed: 31)
    for size in Self.sizes {
      let a = try numbers.tensor([size.rows, size.depth])
      var b = try numbers.tensor(
        isTransposed ? [size.columns, size.depth] : [size.depth, size.columns])
      if isTransposed {
        b = b.view(shape: try Shape([size.depth, size.columns]), strides: [1, size.depth])
      }
      let output = try Tensor.output(.float32, [size.rows, size.columns])
      try withThreads(threads) { try MatrixMultiplication.multiply(a, b, into: output) }
      let scale = Double(size.depth).squareRoot()
      expect(output, near: 3e-6 * scale, "\(size)") { index in
        (0..<size.depth).reduce(0) { $0 + a.float([index[0], $1]) * b.float([$1, index[1]]) }
      }
    }
  }

  @Test func anElementDoesNotDependOnItsNeighbours() throws {
    var numbers = Numbers(seed: 32)
    let a = try numbers.tensor([150, 900])
    let b = try numbers.tensor([900, 300])
    let whole = try Tensor.output(.float32, [150, 300])
    try MatrixMultiplication.multiply(a, b, into: whole)
    let part = try Tensor.output(.float32, [31, 300])
    try withThreads(3) {
      try MatrixMultiplication.multiply(
        a.view(shape: try Shape([31, 900]), strides: a.strides, offset: 70 * 900), b, into: part)
    }
    let due = whole.elements(as: Float.self)[70 * 300..<101 * 300]
    #expect(part.elements(as: Float.self) == Array(due))
  }

  @Test(arguments: LinearProduct.Activation.allCases, [1, 3])
  func everyPartRoundsAsItWouldAlone(
    activation: LinearProduct.Activation, threads: Int
  ) throws {
    var numbers = Numbers(seed: 33)
    for rows in [5, 60] {
      let x = try numbers.tensor([2, rows, 70])
      let weight = try numbers.tensor([70, 90])
      let bias = try numbers.tensor([90])
      let addend = try numbers.tensor([2, rows, 90])
      let shape = try Shape([2, rows, 90])
      for factorShape in [[90], [1, 1, 90], [2, 1, 90], [2, rows, 90], [1, rows, 90]] {
        let factor = try numbers.tensor(factorShape)
        let (due, output) = (
          try Tensor(uninitialized: .float32, shape), try Tensor(uninitialized: .float32, shape)
        )
        try withThreads(threads) {
          try MatrixMultiplication.multiply(x, weight, into: due)
          try Elementwise.binary(.add, due, bias, into: due)
          switch activation {
          case .none: break
          case .gelu: try Elementwise.unary(.gelu, due, into: due)
          case .geluTanh: try Elementwise.unary(.geluTanh, due, into: due)
          case .silu: try Elementwise.unary(.silu, due, into: due)
          }
          try Elementwise.binary(.multiply, due, factor, into: due)
          try Elementwise.binary(.add, due, addend, into: due)
          try LinearProduct(bias: bias, activation: activation, factor: factor, addend: addend)
            .run(x, weight, into: output)
        }
        #expect(
          output.elements(as: Float.self) == due.elements(as: Float.self),
          "\(rows) rows, factor \(factorShape)")
      }
    }
  }

  @Test(arguments: [false, true])
  func factorsAreRoundedToBFloat16WhereTheProcessorCan(isTransposed: Bool) throws {
    var numbers = Numbers(seed: 34)
    for size in Self.sizes where size.rows > 7 {
      let x = try numbers.tensor([size.rows, size.depth])
      var weight = try numbers.tensor(
        isTransposed ? [size.columns, size.depth] : [size.depth, size.columns])
      if isTransposed {
        weight = weight.view(
          shape: try Shape([size.depth, size.columns]), strides: [1, size.depth])
      }
      let bias = try numbers.tensor([size.columns])
      let output = try Tensor.output(.float32, [size.rows, size.columns])
      try withThreads(2) {
        try LinearProduct(bias: bias, precision: .bfloat16).run(x, weight, into: output)
      }
      let isRounded = LinearProduct.Precision.bfloat16.isSupported
      let (a, b) = isRounded ? (try rounded(x), try rounded(weight)) : (x, weight)
      let scale = Double(size.depth).squareRoot()
      expect(output, near: 3e-6 * scale, "\(size)") { index in
        (0..<size.depth).reduce(bias.float([index[1]])) {
          $0 + a.float([index[0], $1]) * b.float([$1, index[1]])
        }
      }
    }
  }

  private func rounded(_ tensor: Tensor) throws -> Tensor {
    try Casting.cast(Casting.cast(tensor, to: .bfloat16), to: .float32)
  }
}
