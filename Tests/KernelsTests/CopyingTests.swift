import Kernels
import Tensors
import Testing

struct CopyingTests {
  @Test(arguments: Layout.allCases)
  func copiesEveryLayoutIntoEveryKindOfView(layout: Layout) throws {
    var numbers = Numbers(seed: 3)
    for dimensions in [[1], [9], [5, 7], [64, 33], [3, 40, 37], [2, 3, 4, 5], [0, 4]] {
      let input = try layout.tensor(dimensions, &numbers)
      let dense = try Tensor.output(.float32, dimensions)
      Copying.copy(input, into: dense)
      expect(dense, near: 0, "\(dimensions)") { input.float($0) }
      for target in [Layout.transposed, .sliced, .reversed] {
        let view = try target.tensor(dimensions, &numbers)
        Copying.copy(input, into: view)
        expect(view, near: 0, "\(dimensions) into \(target)") { input.float($0) }
      }
    }
  }

  @Test func everyOrderOfAxesIsCopiedForEveryWidth() throws {
    let dimensions = [3, 17, 4, 12]
    let count = dimensions.reduce(1, *)
    let orders = [
      [0, 1, 3, 2], [3, 2, 1, 0], [0, 3, 1, 2], [2, 0, 1, 3], [1, 3, 0, 2], [3, 0, 1, 2],
    ]
    let shape = try Shape(dimensions)
    let sources = [
      Tensor((0..<count).map { UInt8(truncatingIfNeeded: $0) }, shape: shape),
      Tensor((0..<count).map { UInt16($0) }, shape: shape),
      Tensor((0..<count).map { UInt32($0) }, shape: shape),
      Tensor((0..<count).map { UInt64($0) }, shape: shape),
    ]
    for source in sources {
      for order in orders {
        let view = source.view(
          shape: try Shape(order.map { dimensions[$0] }), strides: order.map { source.strides[$0] })
        let copy = try Tensor(uninitialized: source.dataType, view.shape)
        Copying.copy(view, into: copy)
        expectEqualBits(copy, view)
      }
    }
  }

  @Test func aScalarFillsAView() throws {
    var numbers = Numbers(seed: 4)
    let view = try Layout.sliced.tensor([3, 4], &numbers)
    Copying.fill(view, with: Tensor(scalar: Float(2.5)))
    expect(view, near: 0) { _ in 2.5 }
  }

  @Test func floatsBecomeIntegersByTruncationAndSaturation() throws {
    let input = Tensor([Float](arrayLiteral: 1.9, -1.9, .nan, .infinity, -.infinity, 3e9, -0.5))
    let integers = try Casting.cast(input, to: .int32).elements(as: Int32.self)
    #expect(integers == [1, -1, 0, .max, .min, .max, 0])
    let wide = try Casting.cast(input, to: .int64).elements(as: Int64.self)
    #expect(wide == [1, -1, 0, .max, .min, 3_000_000_000, 0])
    let bytes = try Casting.cast(input, to: .uint8).elements(as: UInt8.self)
    #expect(bytes == [1, 0, 0, 255, 0, 255, 0])
    let truths = try Casting.cast(input, to: .bool).elements(as: Bool.self)
    #expect(truths == [true, true, true, true, true, true, true])
    let zeros = try Casting.cast(Tensor([Float(0), -0.0]), to: .bool).elements(as: Bool.self)
    #expect(zeros == [false, false])
  }

  @Test func integersKeepTheirLowBitsAndRoundToFloats() throws {
    let input = Tensor([Int64](arrayLiteral: -1, 300, 1 << 40, 16_777_217, 0))
    #expect(try Casting.cast(input, to: .uint8).elements(as: UInt8.self) == [255, 44, 0, 1, 0])
    #expect(
      try Casting.cast(input, to: .int32).elements(as: Int32.self) == [-1, 300, 0, 16_777_217, 0])
    #expect(
      try Casting.cast(input, to: .float32).elements(as: Float.self)
        == [-1, 300, 0x1p40, 16_777_216, 0])
    #expect(
      try Casting.cast(input, to: .bool).elements(as: Bool.self) == [true, true, true, true, false])
    let large = Tensor([UInt64.max, 1])
    #expect(try Casting.cast(large, to: .float32).elements(as: Float.self) == [0x1p64, 1])
    #expect(
      try Casting.cast(Tensor([true, false]), to: .float32).elements(as: Float.self) == [1, 0])
  }

  @Test func everyHalfSurvivesTheWayToFloat32AndBack() throws {
    let all = Tensor((0...UInt16.max).map { $0 })
    for type in [DataType.float16, .bfloat16] {
      let halves = all.reinterpreted(as: type)
      let back = try Casting.cast(Casting.cast(halves, to: .float32), to: type)
        .reinterpreted(as: .uint16).elements(as: UInt16.self)
      let infinity: UInt16 = type == .float16 ? 0x7C00 : 0x7F80
      let quiet: UInt16 = type == .float16 ? 0x200 : 0x40
      for bits in 0...UInt16.max {
        let isNaN = bits & 0x7FFF > infinity
        #expect(back[Int(bits)] == (isNaN ? bits | quiet : bits))
      }
    }
  }

  @Test func roundingToHalvesIsToNearestEven() throws {
    let input: [Float] = [
      1.0009765625 / 2 + 0.5, 1.00048828125, 1.00146484375, 65519.99, 65520, 0x1p-24, 0x1p-25,
      0x1.8p-25, 0x1.8p-24, 6.1e-5, -1e-8, .infinity,
    ]
    let found = try Casting.cast(Tensor(input), to: .float16).reinterpreted(as: .uint16)
      .elements(as: UInt16.self)
    #expect(
      found == [
        0x3C00, 0x3C00, 0x3C02, 0x7BFF, 0x7C00, 1, 0, 1, 2, 0x03FF, 0x8000, 0x7C00,
      ])
    let double = Tensor([1.00048828125 + 1e-12])
    let fromDouble = try Casting.cast(double, to: .float16).reinterpreted(as: .uint16)
    #expect(fromDouble.elements(as: UInt16.self) == [0x3C01])
    let brain = try Casting.cast(Tensor([Float(1.00390625), 1.01171875]), to: .bfloat16)
      .reinterpreted(as: .uint16).elements(as: UInt16.self)
    #expect(brain == [0x3F80, 0x3F82])
  }
}
