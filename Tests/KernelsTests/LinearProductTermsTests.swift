import Kernels
import Tensors
import Testing

/// Products of one left operand.
@Suite struct LinearProductTermsTests {
  @Test(
    arguments: [DataType.float32, .float16, .bfloat16],
    [LinearProduct.Precision.float32, .bfloat16]
  )
  func theyHaveTheBitsOfProductsAlone(type: DataType, precision: LinearProduct.Precision) throws {
    var numbers = Numbers(seed: 71)
    for (rows, threads) in [(40, 1), (41, 2), (5, 3), (2100, 4)] {
      let dense = try Casting.cast(numbers.tensor([rows, 2, 31]), to: type)
      let x = dense.view(shape: try Shape([rows, 31]), strides: [62, 1], offset: 31)
      let weights = [
        try numbers.tensor([31, 90]), try Casting.cast(numbers.tensor([31, 500]), to: type),
        try numbers.tensor([31, 4]), try Layout.transposed.tensor([31, 64], &numbers),
      ]
      let products = try weights.enumerated().map { position, weight in
        LinearProduct(
          bias: position == 0 ? nil : try numbers.tensor([weight.shape[1]]),
          activation: position == 1 ? .gelu : .none, precision: precision)
      }
      func outputs() throws -> [Tensor] {
        try weights.enumerated().map {
          try .output($0 == 3 ? .float32 : type, [rows, $1.shape[1]])
        }
      }
      let (own, due) = (try outputs(), try outputs())
      try withThreads(threads) {
        try LinearProduct.run(
          x, zip(zip(products, weights), own).map { .init($0.0, .stored($0.1), into: $1) })
        for ((product, weight), output) in zip(zip(products, weights), due) {
          try product.run(x, weight, into: output)
        }
      }
      for (a, b) in zip(own, due) { expectEqualBits(a, b) }
    }
  }

  @Test func aWeightPackedBeforeMeetsOneThatIsNot() throws {
    var numbers = Numbers(seed: 72)
    let (x, weight) = (try numbers.tensor([60, 33]), try numbers.tensor([33, 70]))
    guard let packed = try RoundedWeight(packing: weight) else { return }
    let rounding = LinearProduct(precision: .bfloat16)
    let (own, due) = (
      try (0..<3).map { _ in try Tensor.output(.float32, [60, 70]) },
      try (0..<2).map { _ in try Tensor.output(.float32, [60, 70]) }
    )
    try withThreads(2) {
      try LinearProduct.run(
        x,
        [
          .init(rounding, .rounded(packed), into: own[0]),
          .init(LinearProduct(), .stored(weight), into: own[1]),
          .init(rounding, .stored(weight), into: own[2]),
        ])
      try rounding.run(x, weight, into: due[0])
      try LinearProduct().run(x, weight, into: due[1])
    }
    expectEqualBits(own[0], due[0])
    expectEqualBits(own[1], due[1])
    expectEqualBits(own[2], due[0])
  }
}
