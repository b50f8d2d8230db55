import GraphIR
import Operators
import Tensors
import Testing

@Suite struct ConvTests {
  struct Case: Sendable {
    var input: [Int]
    var weight: [Int]
    var strides: [Int]?
    var dilations: [Int]?
    var pads: [Int]?
    var groups = 1
    var hasBias = true
    var output: [Int]
  }

  private static let cases = [
    Case(input: [1, 2, 9], weight: [3, 2, 4], pads: [1, 2], output: [1, 3, 9]),
    Case(
      input: [2, 4, 6, 6], weight: [5, 4, 2, 2], strides: [2, 2], hasBias: false,
      output: [2, 5, 3, 3]),
    Case(
      input: [1, 4, 7, 8], weight: [6, 2, 3, 2], strides: [2, 1], dilations: [1, 2],
      pads: [1, 0, 0, 2], groups: 2, output: [1, 6, 3, 8]),
    Case(
      input: [1, 3, 4, 6, 6], weight: [4, 3, 1, 2, 2], strides: [1, 2, 2],
      output: [1, 4, 4, 3, 3]),
    Case(
      input: [1, 2, 3, 4, 5], weight: [2, 2, 2, 2, 2], dilations: [1, 2, 1],
      pads: [0, 1, 1, 1, 0, 1], output: [1, 2, 3, 3, 6]),
    Case(input: [1, 3, 5], weight: [3, 1, 3], groups: 3, output: [1, 3, 3]),
  ]

  @Test(arguments: cases.indices) func convolutionsAgreeWithLoops(number: Int) throws {
    let test = Self.cases[number]
    let x = try pattern(test.input, seed: 1)
    let weight = try pattern(test.weight, seed: 2)
    let bias = test.hasBias ? try pattern([test.weight[0]], seed: 3) : nil
    var attributes = [Attribute("group", .int(test.groups))]
    for (name, list) in [
      ("strides", test.strides), ("dilations", test.dilations), ("pads", test.pads),
    ] {
      if let list { attributes.append(Attribute(name, .ints(list))) }
    }
    let expected = convolve(x, weight, bias, test)
    for view in [x, try x.scattered()] {
      let result = try OperatorHarness.run("Conv", [view, weight, bias], attributes)
      expectClose(result[0], expected, shape: test.output, tolerance: 2e-6)
    }
  }

  @Test func theSameSizeIsPaddedOnTheSideThatTheNameSays() throws {
    let x = try Tensor.of([1, 2, 3, 4] as [Float], 1, 1, 4)
    let weight = try Tensor.of([1, 10] as [Float], 1, 1, 2)
    func run(_ word: String) throws -> Tensor {
      try OperatorHarness.run("Conv", [x, weight], [Attribute("auto_pad", .text(word))])[0]
    }
    expectClose(try run("SAME_UPPER"), [21, 32, 43, 4], shape: [1, 1, 4])
    expectClose(try run("SAME_LOWER"), [10, 21, 32, 43], shape: [1, 1, 4])
    expectClose(try run("VALID"), [21, 32, 43], shape: [1, 1, 3])
  }

  @Test func theSameSizeWithAStrideIsRoundedUp() throws {
    let x = try Tensor.of([1, 2, 3, 4, 5] as [Float], 1, 1, 5)
    let weight = try Tensor.of([1, 1, 1] as [Float], 1, 1, 3)
    let attributes = [Attribute("auto_pad", .text("SAME_UPPER")), Attribute("strides", .ints([2]))]
    let result = try OperatorHarness.run("Conv", [x, weight], attributes)
    expectClose(result[0], [3, 9, 9], shape: [1, 1, 3])
  }

  @Test func patchesOfSymbolicSizesAreCounted() throws {
    let (batch, size) = (Dimension(symbol: "b"), Dimension(symbol: "s"))
    let fact = try OperatorHarness.infer(
      "Conv",
      [ValueFact(.float32, [batch, 16, size + size, 8]), ValueFact(.float32, [64, 16, 2, 2])],
      [Attribute("strides", .ints([2, 2])), Attribute("kernel_shape", .ints([2, 2]))])
    #expect(fact[0].shape == [batch, 64, size, 4])
  }

  @Test func costsCountMultiplyAndAdd() throws {
    let inputs = [ValueFact(.float32, [2, 4, 6, 6]), ValueFact(.float32, [8, 2, 3, 3])]
    let flops = try OperatorHarness.flops("Conv", inputs, [Attribute("group", .int(2))])
    #expect(flops == 2 * (2 * 8 * 4 * 4) * (2 * 3 * 3))
  }

  @Test func whatDoesNotFitIsRefused() throws {
    let x = ValueFact(.float32, [1, 4, 5, 5])
    let weight = ValueFact(.float32, [8, 4, 3, 3])
    let bad: [([ValueFact], [Attribute])] = [
      ([x, ValueFact(.float32, [8, 3, 3, 3])], []),
      ([x, ValueFact(.float32, [8, 4, 3])], []),
      ([x, ValueFact(.float32, [8, 4, 6, 3])], []),
      ([x, weight, ValueFact(.float32, [7])], []),
      ([x, weight], [Attribute("kernel_shape", .ints([2, 2]))]),
      ([x, weight], [Attribute("strides", .ints([0, 1]))]),
      ([x, weight], [Attribute("pads", .ints([1, 1]))]),
      ([x, weight], [Attribute("pads", .ints([-1, 0, 0, 0]))]),
      ([x, weight], [Attribute("group", .int(0))]),
      ([x, weight], [Attribute("group", .int(3))]),
      ([ValueFact(.int64, [1, 4, 5, 5]), ValueFact(.int64, [8, 4, 3, 3])], []),
    ]
    for (inputs, attributes) in bad {
      let refusal = OperatorHarness.refusal("Conv", inputs, attributes)
      #expect(refusal?.code == "bad-operands", "\(inputs.map(\.type)) \(attributes.map(\.name))")
    }
    try expectStrictness("Conv", [x, weight])
  }

  private func pattern(_ dimensions: [Int], seed: Int) throws -> Tensor {
    let shape = try Shape(dimensions)
    return try Tensor.pattern(shape.elementCount, seed: seed)
      .view(shape: shape, strides: shape.rowMajorStrides)
  }

  /// The convolution by its definition, in double precision.
  private func convolve(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ test: Case) -> [Float] {
    let axes = x.rank - 2
    let strides = test.strides ?? Array(repeating: 1, count: axes)
    let dilations = test.dilations ?? Array(repeating: 1, count: axes)
    let pads = test.pads ?? Array(repeating: 0, count: axes)
    let (elements, filters) = (x.floats, weight.floats)
    let filtersPerGroup = weight.shape[0] / test.groups
    var result: [Float] = []
    for place in positions(test.output) {
      let group = place[1] / filtersPerGroup
      var total = bias.map { Double($0.floats[place[1]]) } ?? 0
      for tap in positions(Array(weight.shape.dimensions[1...])) {
        var source = [place[0], group * weight.shape[1] + tap[0]]
        for axis in 0..<axes {
          source.append(
            place[axis + 2] * strides[axis] + tap[axis + 1] * dilations[axis] - pads[axis])
        }
        guard zip(source, x.shape.dimensions).allSatisfy({ $0 >= 0 && $0 < $1 }) else { continue }
        let from = zip(source, x.shape.rowMajorStrides).reduce(0) { $0 + $1.0 * $1.1 }
        let filter = zip([place[1]] + tap, weight.shape.rowMajorStrides)
          .reduce(0) { $0 + $1.0 * $1.1 }
        total += Double(elements[from]) * Double(filters[filter])
      }
      result.append(Float(total))
    }
    return result
  }

  /// All indices of a shape in row-major order.
  private func positions(_ dimensions: [Int]) -> [[Int]] {
    dimensions.reduce([[]]) { prefixes, size in
      prefixes.flatMap { prefix in (0..<size).map { prefix + [$0] } }
    }
  }
}
