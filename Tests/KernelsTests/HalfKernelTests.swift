import Kernels
import Tensors
import Testing

/// Kernels that read half types, compute in `float32` and round once.
@Suite struct HalfKernelTests {
  static let types: [DataType] = [.float16, .bfloat16]

  private func tensor(
    _ numbers: inout Numbers, _ dimensions: [Int], _ type: DataType
  ) throws -> Tensor {
    try Casting.cast(numbers.tensor(dimensions), to: type)
  }

  private func wide(_ tensor: Tensor) throws -> Tensor { try Casting.cast(tensor, to: .float32) }

  @Test(arguments: types, [false, true])
  func productsAreThoseOfTheWidenedFactors(type: DataType, isTransposed: Bool) throws {
    var numbers = Numbers(seed: 41)
    for size in LinearProductTests.sizes + [(rows: 1, depth: 65, columns: 3)] {
      let x = try tensor(&numbers, [size.rows, size.depth], type)
      var weight = try tensor(
        &numbers, isTransposed ? [size.columns, size.depth] : [size.depth, size.columns], type)
      if isTransposed {
        weight = weight.view(
          shape: try Shape([size.depth, size.columns]), strides: [1, size.depth])
      }
      let addend = try tensor(&numbers, [size.rows, size.columns], type)
      let output = try Tensor.output(.float32, [size.rows, size.columns])
      let rounded = try Tensor.output(type, [size.rows, size.columns])
      for threads in [1, 3] {
        try withThreads(threads) {
          try LinearProduct(addend: addend).run(x, weight, into: output)
          try LinearProduct(addend: addend).run(x, weight, into: rounded)
        }
        let (a, b, c) = (try wide(x), try wide(weight), try wide(addend))
        expect(output, near: 3e-6 * Double(size.depth).squareRoot(), "\(size)") { index in
          (0..<size.depth).reduce(c.float(index)) {
            $0 + a.float([index[0], $1]) * b.float([$1, index[1]])
          }
        }
        expectEqualBits(rounded, try Casting.cast(output, to: type))
      }
    }
  }

  @Test(arguments: types) func manyRowsAreWidenedInParts(type: DataType) throws {
    var numbers = Numbers(seed: 42)
    let x = try tensor(&numbers, [4100, 9], type)
    let weight = try tensor(&numbers, [9, 33], type)
    let factor = try numbers.tensor([4100, 33])
    let output = try Tensor.output(.float32, [4100, 33])
    try withThreads(2) { try LinearProduct(factor: factor).run(x, weight, into: output) }
    let (a, b) = (try wide(x), try wide(weight))
    expect(output, near: 1e-5) { index in
      factor.float(index)
        * (0..<9).reduce(0) { $0 + a.float([index[0], $1]) * b.float([$1, index[1]]) }
    }
  }

  @Test(arguments: types) func storedWeightsMayBeNarrowerThanRows(type: DataType) throws {
    var numbers = Numbers(seed: 43)
    let x = try numbers.tensor([20, 50])
    let weight = try tensor(&numbers, [50, 40], type)
    let (output, due) = (
      try Tensor.output(.float32, [20, 40]), try Tensor.output(.float32, [20, 40])
    )
    try LinearProduct().run(x, weight, into: output)
    try LinearProduct().run(x, wide(weight), into: due)
    expectEqualBits(output, due)
  }

  /// What rounding weights to bfloat16 may change of a mean of numbers below 2.
  private var weightTolerance: Double {
    LinearProduct.Precision.bfloat16.isSupported ? 2 * 0x1p-8 : 4e-6
  }

  @Test(arguments: types, [7, 33, 700])
  func attentionIsThatOfTheWidenedOperands(type: DataType, keys: Int) throws {
    var numbers = Numbers(seed: 44)
    let (q, k, v) = (
      try tensor(&numbers, [2, 4, 30, 5], type), try tensor(&numbers, [2, 2, keys, 5], type),
      try tensor(&numbers, [2, 2, keys, 6], type)
    )
    let mask = try tensor(&numbers, [30, keys], type)
    let outputs = try [DataType.float32, type].map { try Tensor.output($0, [2, 4, 30, 6]) }
    for output in outputs {
      try Attention.attend(query: q, key: k, value: v, mask: mask, into: output)
    }
    let due = try Tensor.output(.float32, [2, 4, 30, 6])
    try Attention.attend(
      query: wide(q), key: wide(k), value: wide(v), mask: wide(mask), into: due)
    let tolerance = type == .bfloat16 ? weightTolerance : 0
    expect(outputs[0], near: tolerance) { due.float($0) }
    expectEqualBits(outputs[1], try Casting.cast(outputs[0], to: type))
  }

  @Test(arguments: [1, 3]) func attentionMayRoundItsFactors(threads: Int) throws {
    var numbers = Numbers(seed: 45)
    let (q, k, v) = (
      try numbers.tensor([1, 3, 200, 64]), try numbers.tensor([1, 3, 1100, 64]),
      try numbers.tensor([1, 3, 1100, 40])
    )
    let (output, due) = (
      try Tensor.output(.float32, [1, 3, 200, 40]), try Tensor.output(.float32, [1, 3, 200, 40])
    )
    let isRounded = LinearProduct.Precision.bfloat16.isSupported
    func factor(_ tensor: Tensor) throws -> Tensor {
      isRounded ? try wide(Casting.cast(tensor, to: .bfloat16)) : tensor
    }
    try withThreads(threads) {
      try Attention.attend(
        query: q, key: k, value: v, options: AttentionOptions(precision: .bfloat16), into: output)
      try Attention.attend(query: factor(q), key: factor(k), value: factor(v), into: due)
    }
    expect(output, near: weightTolerance) { due.float($0) }
  }

  @Test(arguments: types, types + [.float32])
  func normsRoundOnce(type: DataType, result: DataType) throws {
    var numbers = Numbers(seed: 46)
    let x = try tensor(&numbers, [2, 5, 33], type)
    let scale = try tensor(&numbers, [33], type)
    let factor = try tensor(&numbers, [2, 1, 33], type)
    let (output, due) = (
      try Tensor.output(result, [2, 5, 33]), try Tensor.output(.float32, [2, 5, 33])
    )
    try Normalization.layerNorm(
      x, axis: 2, scale: scale, bias: nil, epsilon: 1e-6, modulation: Modulation(factor: factor),
      into: output)
    try Normalization.layerNorm(
      wide(x), axis: 2, scale: wide(scale), bias: nil, epsilon: 1e-6,
      modulation: Modulation(factor: wide(factor)), into: due)
    expectEqualBits(output, try Casting.cast(due, to: result))
  }

  @Test(arguments: types, Rotation.Form.allCases)
  func rotationsRoundOnce(type: DataType, form: Rotation.Form) throws {
    var numbers = Numbers(seed: 47)
    let x = try tensor(&numbers, [2, 5, 3, 8], type)
    let tables = try (0..<2).map { _ in
      try numbers.tensor([1, 5, 1, form == .pairs ? 4 : 8])
    }
    let (output, due) = (
      try Tensor.output(type, [2, 5, 3, 8]), try Tensor.output(.float32, [2, 5, 3, 8])
    )
    try Rotation.rotate(x, cosines: tables[0], sines: tables[1], form: form, into: output)
    try Rotation.rotate(wide(x), cosines: tables[0], sines: tables[1], form: form, into: due)
    expectEqualBits(output, try Casting.cast(due, to: type))
  }
}
