import Kernels
import Tensors
import Testing

struct ElementwiseChainTests {
  static let types: [DataType] = [.float32, .float16, .bfloat16]

  /// Shapes of outputs, small, long enough for several pieces and threads, and empty.
  static let shapes = [
    [], [1], [7], [3, 5], [2, 3, 4, 5], [0, 3], [33, 70], [3, 2100], [70, 1000],
  ]

  /// The values of a chain, step by step, each operator alone and rounded by a cast.
  private func stepByStep(
    _ chain: ElementwiseChain, _ operands: [Tensor], _ type: DataType, _ shape: [Int]
  ) throws -> Tensor {
    var values = try operands.map { try Casting.cast($0, to: .float32) }
    for step in chain.steps {
      let result = try Tensor.output(.float32, shape)
      switch step.function {
      case .unary(let operation):
        let operand = try Tensor.output(.float32, shape)
        Copying.copy(values[step.reads[0]], into: operand)
        try Elementwise.unary(operation, operand, into: result)
      case .binary(let operation):
        try Elementwise.binary(
          operation, values[step.reads[0]], values[step.reads[1]], into: result)
      case .identity: Copying.copy(values[step.reads[0]], into: result)
      }
      values.append(try Casting.cast(Casting.cast(result, to: step.type), to: .float32))
    }
    return try Casting.cast(values[values.count - 1], to: type)
  }

  /// A chain of random functions that uses every operand.
  private func chain(_ numbers: inout Numbers, operandCount: Int) throws -> ElementwiseChain {
    var steps: [ElementwiseChain.Step] = []
    let length = operandCount + Int(numbers.bits() % 12)
    for number in 0..<length {
      let value = { (numbers: inout Numbers) in
        Int(numbers.bits() % UInt64(operandCount + number))
      }
      let type = Self.types[Int(numbers.bits() % 3)]
      switch numbers.bits() % 8 {
      case 0: steps.append(.init(.identity, reading: [value(&numbers)], as: type))
      case 1, 2:
        let all = UnaryOperation.allCases
        let operation = all[Int(numbers.bits() % UInt64(all.count))]
        steps.append(.init(.unary(operation), reading: [value(&numbers)], as: type))
      default:
        let all = BinaryOperation.allCases
        let operation = all[Int(numbers.bits() % UInt64(all.count))]
        let first = number < operandCount ? number : operandCount + number - 1
        steps.append(.init(.binary(operation), reading: [first, value(&numbers)], as: type))
      }
    }
    return try #require(ElementwiseChain(operandCount: operandCount, steps: steps))
  }

  /// A view of a shape that broadcasts to another, of any type and layout.
  private func operand(_ numbers: inout Numbers, for shape: [Int]) throws -> Tensor {
    var own = shape
    switch numbers.bits() % 4 {
    case 0: own = shape.map { numbers.bits() % 2 == 0 ? 1 : $0 }
    case 1: own = Array(shape.dropFirst(Int(numbers.bits() % UInt64(shape.count + 1))))
    case 2 where numbers.bits() % 2 == 0: own = []
    default: break
    }
    let layouts = Layout.allCases.filter { $0 != .repeated || !own.isEmpty }
    let layout = layouts[Int(numbers.bits() % UInt64(layouts.count))]
    let wide = try layout.tensor(own, &numbers)
    for index in wide.shape.indices.prefix(40) where numbers.bits() % 8 == 0 {
      let special: [Float] = [
        .nan, .infinity, -.infinity, -0.0, 0, 0x1p-140, 65504, 3e38, 2, 0.5, -1,
      ]
      let place = zip(index, wide.strides).reduce(0) { $0 + $1.0 * $1.1 }
      wide.pointer(as: Float.self)[place] = special[Int(numbers.bits() % 11)]
    }
    let type = Self.types[Int(numbers.bits() % 3)]
    guard type != .float32 else { return wide }
    return try Casting.cast(wide, to: type)
  }

  @Test(arguments: [1, 3])
  func randomChainsHaveTheBitsOfTheirSteps(threads: Int) throws {
    var numbers = Numbers(seed: 71)
    try withThreads(threads) {
      for round in 0..<400 {
        let shape = Self.shapes[Int(numbers.bits() % UInt64(Self.shapes.count))]
        let count = 1 + Int(numbers.bits() % 7)
        let chain = try chain(&numbers, operandCount: count)
        let operands = try (0..<count).map { _ in try operand(&numbers, for: shape) }
        let type = Self.types[Int(numbers.bits() % 3)]
        let output = try Tensor.output(type, shape)
        try chain.run(operands, into: output)
        let due = try stepByStep(chain, operands, type, shape)
        expectSameNumbers(output, due, "round \(round), \(shape): \(chain.steps)")
      }
    }
  }

  @Test(arguments: types) func anOperandMayBeTheMemoryOfTheOutput(type: DataType) throws {
    var numbers = Numbers(seed: 72)
    let steps: [ElementwiseChain.Step] = [
      .init(.unary(.sigmoid), reading: [0], as: type),
      .init(.binary(.multiply), reading: [0, 3], as: type),
      .init(.binary(.add), reading: [4, 1], as: type),
      .init(.binary(.subtract), reading: [0, 5], as: type),
      .init(.binary(.multiply), reading: [6, 2], as: type),
    ]
    for last in [4, 5] {
      for dimensions in [[5], [1], [40, 999]] {
        let chain = try #require(
          ElementwiseChain(operandCount: 3, steps: Array(steps.prefix(last))))
        let operands = try (0..<3).map { position in
          try Casting.cast(numbers.tensor(position == 2 ? [] : dimensions), to: type)
        }
        for aliased in 0..<2 {
          let due = try stepByStep(chain, operands, type, dimensions)
          let output = try Tensor.output(type, dimensions)
          Copying.copy(operands[aliased], into: output)
          var inPlace = operands
          inPlace[aliased] = output
          try withThreads(2) { try chain.run(inPlace, into: output) }
          expectSameNumbers(output, due, "\(dimensions), operand \(aliased)")
        }
      }
    }
  }

  @Test func powersDoNotDependOnWhereTheirExponentsLie() throws {
    var numbers = Numbers(seed: 73)
    let base = try numbers.tensor([4, 600])
    for exponent: Float in [2, 3, 0.5, -1, 1.5] {
      let due = try Tensor.output(.float32, [4, 600])
      try Elementwise.binary(.power, base, Tensor([exponent], shape: .scalar), into: due)
      let spread = Tensor([Float](repeating: exponent, count: 2400), shape: try Shape([4, 600]))
      let dense = try Tensor.output(.float32, [4, 600])
      try Elementwise.binary(.power, base, spread, into: dense)
      expectEqualBits(dense, due)
      let column = Tensor([Float](repeating: exponent, count: 4), shape: try Shape([4, 1]))
      let step = ElementwiseChain.Step(.binary(.power), reading: [0, 1])
      let chain = try #require(ElementwiseChain(operandCount: 2, steps: [step]))
      let output = try Tensor.output(.float32, [4, 600])
      try chain.run([base, column], into: output)
      expectEqualBits(output, due)
    }
  }

  @Test(arguments: [
    (1, ElementwiseChain.Step(.unary(.negate), reading: [1])),
    (1, .init(.unary(.negate), reading: [-1])), (1, .init(.unary(.negate), reading: [])),
    (2, .init(.binary(.add), reading: [0])), (2, .init(.identity, reading: [0, 1])),
    (0, .init(.unary(.negate), reading: [0])), (1, .init(.identity, reading: [0], as: .int64)),
    (Int.max, .init(.unary(.negate), reading: [.min])),
  ])
  func stepsThatReadWhatIsNotThereAreNoChain(operands: Int, step: ElementwiseChain.Step) {
    #expect(ElementwiseChain(operandCount: operands, steps: [step]) == nil)
    #expect(ElementwiseChain(operandCount: 1, steps: []) == nil)
  }

  @Test func otherTypesAreRefused() throws {
    let chain = try #require(
      ElementwiseChain(operandCount: 1, steps: [.init(.unary(.negate), reading: [0])]))
    let doubles = Tensor([Double](repeating: 1, count: 4))
    for (input, type) in [(doubles, DataType.float32), (Tensor([Float(1)]), .float64)] {
      let output = try Tensor.output(type, input.shape.dimensions)
      let error = #expect(throws: KernelError.self) { try chain.run([input], into: output) }
      #expect(error?.code == .unsupportedType)
    }
  }

  /// Expects the same bits, or NaN in both.
  private func expectSameNumbers(_ a: Tensor, _ b: Tensor, _ comment: String) {
    guard let x = try? Casting.cast(a, to: .float32).elements(as: Float.self),
      let y = try? Casting.cast(b, to: .float32).elements(as: Float.self)
    else {
      Issue.record("elements cannot be read")
      return
    }
    let place = zip(x, y).enumerated().first {
      $1.0.bitPattern != $1.1.bitPattern && !($1.0.isNaN && $1.1.isNaN)
    }
    let isSame = place == nil && x.count == y.count
    #expect(
      isSame, "\(place.map { "\($0.element) at \($0.offset)" } ?? "sizes"): \(comment)")
  }
}
