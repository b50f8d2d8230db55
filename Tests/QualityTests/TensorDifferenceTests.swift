import Quality
import Tensors
import Testing

@Suite struct TensorDifferenceTests {
  /// Both float32, so that NumPy makes the same ones: `a` is a saw tooth in [−1, 1], `b` lies up
  /// to 8/256 away from it.
  static let a = (0..<5000).map { Float(Double($0 * 37 % 101) / 50 - 1) }
  static let b = a.enumerated().map { $1 + Float($0 * 53 % 17 - 8) / 256 }

  static func isClose(_ a: Double?, _ b: Double) -> Bool {
    abs((a ?? .nan) - b) <= 1e-12 * abs(b)
  }

  @Test func theFiguresAreThoseOfNumPy() throws {
    let difference = try TensorDifference(
      of: Tensor(TensorDifferenceTests.a), from: Tensor(TensorDifferenceTests.b))
    #expect(TensorDifferenceTests.isClose(difference.meanSquaredError, 0.00036636964194477155))
    #expect(TensorDifferenceTests.isClose(difference.relativeL1, 0.03275506824637432))
    #expect(TensorDifferenceTests.isClose(difference.cosineSimilarity, 0.9994617607176419))
    #expect(difference.maximumAbsoluteDifference == 0.03125002980232239)
    #expect(difference.referenceRange == 2.0625)
    let psnr = difference.psnr(dataRange: difference.referenceRange)
    #expect(TensorDifferenceTests.isClose(psnr, 40.64868434388317))
    #expect(!difference.isIdentical)
  }

  @Test func elementTypesMayDiffer() throws {
    let half = Tensor(TensorDifferenceTests.a.map { Float16($0).bitPattern })
    let difference = try TensorDifference(
      of: half.reinterpreted(as: .float16), from: Tensor(TensorDifferenceTests.b))
    #expect(difference.maximumAbsoluteDifference == 0.031484365463256836)
    #expect(TensorDifferenceTests.isClose(difference.relativeL1, 0.03276465112990771))
    let bfloat16 = Tensor([0x3FC0, 0xC000] as [UInt16]).reinterpreted(as: .bfloat16)
    #expect(try TensorDifference(of: bfloat16, from: Tensor([1.5, -2])).isIdentical)
    #expect(
      try TensorDifference(of: Tensor([1, 0] as [Int64]), from: Tensor([true, false])).isIdentical)
  }

  @Test func identicalTensorsHaveNoSignalToNoiseRatio() throws {
    let tensor = Tensor([1, .nan, -.infinity, 0] as [Float])
    let difference = try TensorDifference(of: tensor, from: tensor)
    #expect(difference.isIdentical)
    #expect(difference.psnr(dataRange: 1) == nil)
    #expect(difference.relativeL1 == 0)
    #expect(difference.maximumAbsoluteDifference == 0)
    #expect(difference.cosineSimilarity == 1)
  }

  @Test func aNaNOnOneSideIsInfinitelyFar() throws {
    for (result, reference) in [([1, .nan], [1, 2]), ([1, 2], [.nan, 2])] as [([Float], [Float])] {
      let difference = try TensorDifference(of: Tensor(result), from: Tensor(reference))
      #expect(!difference.isIdentical)
      #expect(difference.maximumAbsoluteDifference == .infinity)
      #expect(difference.psnr(dataRange: 1)?.isNaN == true)
    }
  }

  @Test func stridedViewsAreComparedInOrder() throws {
    let matrix = Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: try Shape([2, 3]))
    let transposed = matrix.view(shape: try Shape([3, 2]), strides: [1, 3])
    let expected = Tensor([1, 4, 2, 5, 3, 6] as [Float], shape: try Shape([3, 2]))
    #expect(try TensorDifference(of: transposed, from: expected).isIdentical)
  }

  @Test func differentShapesAreRefusedWithBoth() throws {
    let error = #expect(throws: QualityError.self) {
      try TensorDifference(of: Tensor([1] as [Float]), from: Tensor(scalar: Float(1)))
    }
    #expect(error?.message == "The result has the shape [1], the reference [].")
  }

  @Test func pixelsAreMeasuredInTheUnitRange() throws {
    let (a, b) = (Tensor(TensorDifferenceTests.a), Tensor(TensorDifferenceTests.b))
    let pixels = try GenerationQuality(of: a, against: b, content: .pixels)
    #expect(pixels.dataRange == 1)
    #expect(TensorDifferenceTests.isClose(pixels.psnr, 40.43971698636266))
    #expect(TensorDifferenceTests.isClose(pixels.relativeL1, 0.03275506824637432))
    let latents = try GenerationQuality(of: a, against: b, content: .latents)
    #expect(latents.dataRange == 2.0625)
    #expect(TensorDifferenceTests.isClose(latents.psnr, 40.64868434388317))
    #expect(try GenerationQuality(of: a, against: a, content: .latents).psnr == nil)
    let units = try Pixels.unitRange(Tensor([-3, -1, 0, 1, 9] as [Float]))
    #expect(units.elements(as: Double.self) == [0, 0, 0.5, 1, 1])
  }
}
