import Foundation
import Kernels
import Tensors
import Testing

struct ElementwiseTests {
  static let shapes: [([Int], [Int])] = [
    ([], []), ([5], []), ([], [3]), ([4], [4]), ([2, 3], [3]), ([2, 1], [3]), ([2, 3], [2, 1]),
    ([3, 1, 5], [4, 1]), ([2, 3, 4], [2, 3, 4]), ([1, 3, 1, 5], [2, 1, 4, 1]), ([0, 3], [1, 3]),
    ([2, 0], [1]), ([33, 70], [33, 70]), ([3, 1100], [1100]), ([3, 1100], [3, 1]),
  ]

  @Test(arguments: Layout.allCases, Layout.allCases)
  func everyPairOfLayoutsAndShapesGivesTheElementwiseResult(left: Layout, right: Layout) throws {
    var numbers = Numbers(seed: 1)
    for (x, y) in Self.shapes
    where !(left == .repeated && x.isEmpty || right == .repeated && y.isEmpty) {
      let a = try left.tensor(x, &numbers)
      let b = try right.tensor(y, &numbers)
      let shape = try #require(a.shape.broadcast(with: b.shape))
      let sum = try Tensor.output(.float32, shape.dimensions)
      try Elementwise.binary(.add, a, b, into: sum)
      expect(sum, near: 1e-7, "\(x) + \(y)") { a.float($0) + b.float($0) }
      let quotient = try Tensor.output(.float32, shape.dimensions)
      try Elementwise.binary(.divide, a, b, into: quotient)
      expect(quotient, near: 1e-7, "\(x) / \(y)") { a.float($0) / b.float($0) }
      let isLess = try Tensor.output(.bool, shape.dimensions)
      try Elementwise.compare(.less, a, b, into: isLess)
      for index in shape.indices {
        #expect(isLess.element(index, as: Bool.self) == (a.float(index) < b.float(index)))
      }
      let smaller = try Tensor.output(.float32, shape.dimensions)
      Elementwise.select(isLess, a, b, into: smaller)
      expect(smaller, near: 0, "\(x) ? \(y)") { min(a.float($0), b.float($0)) }
    }
  }

  @Test func floatOperationsKeepTheirEdgeCases() throws {
    let a = Tensor([Float.nan, 1, -7, 7, -7, 0, 2, -8])
    let b = Tensor([Float(1), .nan, 3, -3, -3, 0, 0.5, 2])
    let results: [(BinaryOperation, [Float])] = [
      (.minimum, [.nan, .nan, -7, -3, -7, 0, 0.5, -8]),
      (.maximum, [.nan, .nan, 3, 7, -3, 0, 2, 2]),
      (.modulo, [.nan, .nan, 2, -2, -1, .nan, 0, 0]),
      (.remainder, [.nan, .nan, -1, 1, -1, .nan, 0, 0]),
      (.power, [.nan, 1, -343, powf(7, -3), powf(-7, -3), 1, powf(2, 0.5), 64]),
    ]
    for (operation, wanted) in results {
      let output = try Tensor.output(.float32, [8])
      try Elementwise.binary(operation, a, b, into: output)
      for (x, y) in zip(output.elements(as: Float.self), wanted) {
        #expect(x == y || x.isNaN && y.isNaN, "\(operation): \(x), not \(y)")
      }
    }
  }

  @Test func integersTruncateWrapAndRefuseToDivideByZero() throws {
    let a = Tensor([Int64](arrayLiteral: 7, -7, 7, -7, .min, 3))
    let b = Tensor([Int64](arrayLiteral: 2, 2, -2, -2, -1, 5))
    let results: [(BinaryOperation, [Int64])] = [
      (.divide, [3, -3, -3, 3, .min, 0]), (.modulo, [1, 1, -1, -1, 0, 3]),
      (.remainder, [1, -1, 1, -1, 0, 3]), (.subtract, [5, -9, 9, -5, .min + 1, -2]),
      (.power, [49, 49, 0, 0, 0, 243]),
    ]
    for (operation, wanted) in results {
      let output = try Tensor.output(.int64, [6])
      try Elementwise.binary(operation, a, b, into: output)
      #expect(output.elements(as: Int64.self) == wanted, "\(operation)")
    }
    let output = try Tensor.output(.int32, [2])
    for operation in [BinaryOperation.divide, .modulo, .remainder] {
      let error = #expect(throws: KernelError.self) {
        try Elementwise.binary(
          operation, Tensor([Int32](arrayLiteral: 1, 2)), Tensor([Int32](arrayLiteral: 3, 0)),
          into: output)
      }
      #expect(error?.code == .divisionByZero)
    }
  }

  @Test func powersMixTypes() throws {
    let output = try Tensor.output(.float32, [3])
    try Elementwise.power(
      Tensor([Float(2), 3, -2]), Tensor([Int64](arrayLiteral: 3, 2, 3)), into: output)
    #expect(output.elements(as: Float.self) == [8, 9, -8])
    let integers = try Tensor.output(.int64, [2])
    try Elementwise.power(
      Tensor([Int64](arrayLiteral: 2, 9)), Tensor([Float(3), 0.5]), into: integers)
    #expect(integers.elements(as: Int64.self) == [8, 3])
  }

  @Test func halfTypesAreComputedInFloat32AndRounded() throws {
    let a = try Casting.cast(Tensor([Float(1), 2048, 65504]), to: .float16)
    let b = try Casting.cast(Tensor([Float(0.00048828125), 1, 65504]), to: .float16)
    let output = try Tensor.output(.float16, [3])
    try Elementwise.binary(.add, a, b, into: output)
    let wide = try Casting.cast(output, to: .float32)
    #expect(wide.elements(as: Float.self) == [1, 2048, .infinity])
  }

  /// Distance in units in the last place of a float.
  private func ulps(_ found: Float, _ exact: Double) -> Double {
    if found.isNaN && exact.isNaN || Double(found) == exact { return 0 }
    let rounded = Float(exact)
    if found == rounded { return 0 }
    let unit = Swift.max(
      Double(rounded.isInfinite ? Float.greatestFiniteMagnitude.ulp : rounded.ulp),
      Double(Float.leastNonzeroMagnitude))
    return abs(Double(found) - exact) / unit
  }

  @Test(arguments: [
    (UnaryOperation.exponential, 1.0), (.hyperbolicTangent, 1.5), (.errorFunction, 1.5),
    (.sigmoid, 2.5), (.sine, 1.0), (.cosine, 1.0), (.logarithm, 1.0), (.squareRoot, 0.5),
    (.reciprocal, 0.5),
  ])
  func elementaryFunctionsStayWithinTheirBound(_ operation: UnaryOperation, _ bound: Double) throws
  {
    let exact: (Double) -> Double =
      switch operation {
      case .exponential: { exp($0) }
      case .hyperbolicTangent: { tanh($0) }
      case .errorFunction: { erf($0) }
      case .sigmoid: { 1 / (1 + exp(-$0)) }
      case .sine: { sin($0) }
      case .cosine: { cos($0) }
      case .logarithm: { log($0) }
      case .squareRoot: { $0.squareRoot() }
      default: { 1 / $0 }
      }
    var inputs: [Float] = [
      0, -0.0, .infinity, -.infinity, .nan, 88.7, 88.8, -87.4, -103.9, -104.5,
      Float.leastNonzeroMagnitude, 1e-30, -1e-30, 6000, -6000, 1e5,
    ]
    for i in stride(from: -110_000, to: 110_000, by: 7) { inputs.append(Float(i) * 1e-3) }
    for i in stride(from: 0, to: 400_000, by: 3) { inputs.append(Float(i) * 1e-5) }
    let output = try Tensor.output(.float32, [inputs.count])
    try Elementwise.unary(operation, Tensor(inputs), into: output)
    var worst = (0.0, Float(0))
    for (x, y) in zip(inputs, output.elements(as: Float.self)) {
      let distance = ulps(y, exact(Double(x)))
      if !(distance <= worst.0) { worst = (distance, x) }
    }
    #expect(worst.0 <= bound, "\(operation): \(worst.0) ulp at \(worst.1)")
  }

  @Test func bothFormsOfGELUFollowTheirFormulas() throws {
    let inputs = stride(from: Float(-12), through: 12, by: 0.001).map { $0 } + [.nan, .infinity]
    let exact = try Tensor.output(.float32, [inputs.count])
    try Elementwise.unary(.gelu, Tensor(inputs), into: exact)
    let approximate = try Tensor.output(.float32, [inputs.count])
    try Elementwise.unary(.geluTanh, Tensor(inputs), into: approximate)
    expect(exact, near: 3e-7) {
      let x = Double(inputs[$0[0]])
      return 0.5 * x * (1 + erf(x / 2.0.squareRoot()))
    }
    expect(approximate, near: 3e-7) {
      let x = Double(inputs[$0[0]])
      return 0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    }
  }

  @Test(arguments: Layout.allCases)
  func unaryFunctionsReadAnyView(layout: Layout) throws {
    var numbers = Numbers(seed: 2)
    for dimensions in [[7], [3, 5], [2, 3, 4, 5], [3, 700], [0, 2]] {
      let input = try layout.tensor(dimensions, &numbers)
      let output = try Tensor.output(.float32, dimensions)
      try Elementwise.unary(.exponential, input, into: output)
      expect(output, near: 3e-7) { exp(input.float($0)) }
      try Elementwise.unary(.round, input, into: output)
      expect(output, near: 0) { input.float($0).rounded(.toNearestOrEven) }
    }
  }
}
