import Foundation
import Interpreter
import OnnxFile
import Quality
import TensorFiles
import Tensors
import TestSupport
import Testing

/// Every measure against its reference implementation, on videos of `Tests/Fixtures/quality`.
@Suite struct RecordedMeasureTests {
  struct Expected: Decodable {
    let psnr, ssim, relative_l2, cosine: Double
    let lpips: [Double]
    let picture_features: [[Double]]
    let video_features: [Double]
    let frechet_wide, frechet_few, frechet_pictures: Double
  }

  let expected: Expected
  let result, reference: Tensor

  init() throws {
    expected = try JSONDecoder().decode(
      Expected.self, from: Data(Fixtures.bytes("quality/expected.json")))
    result = try Self.array("result")
    reference = try Self.array("reference")
  }

  static func array(_ key: String) throws -> Tensor {
    try NPZFile(readingFrom: Fixtures.path("quality/videos.npz")).tensor(key)
  }

  static func network(_ name: String) throws -> VisionNetwork {
    try VisionNetwork(
      try Engine(try OnnxModel.read(Fixtures.path("quality/\(name)")).graph), name: name)
  }

  static func heads() throws -> [[Double]] {
    let file = try NPZFile(readingFrom: Fixtures.path("quality/lpips.npz"))
    return try (0..<3).map {
      try file.tensor("lin\($0).model.1.weight").elements(as: Float.self).map(Double.init)
    }
  }

  static func vectors(_ key: String, prefix: Int? = nil) throws -> [[Double]] {
    let tensor = try array(key)
    let numbers = tensor.elements(as: Double.self)
    let width = tensor.shape[1]
    return (0..<(prefix ?? tensor.shape[0])).map {
      Array(numbers[$0 * width..<($0 + 1) * width])
    }
  }

  func isNear(_ a: Double?, _ b: Double, _ tolerance: Double) -> Bool {
    abs((a ?? .nan) - b) <= tolerance * max(1, abs(b))
  }

  @Test func psnrIsThatOfScikitImage() throws {
    let quality = try GenerationQuality(of: result, against: reference, content: .pixels)
    #expect(isNear(quality.psnr, expected.psnr, 1e-9))
  }

  @Test func structuralSimilarityIsThatOfScikitImage() throws {
    let ours = try StructuralSimilarity.mean(
      of: Pixels.unitRange(result), against: Pixels.unitRange(reference), dataRange: 1)
    #expect(isNear(ours, expected.ssim, 1e-9), "\(ours)")
    let same = try StructuralSimilarity.mean(of: result, against: result, dataRange: 2)
    #expect(isNear(same, 1, 1e-12))
  }

  @Test func picturesSmallerThanTheWindowAreRefused() throws {
    let small = Tensor([Float](repeating: 0, count: 200), shape: try Shape([20, 10]))
    let error = #expect(throws: QualityError.self) {
      try StructuralSimilarity.mean(of: small, against: small, dataRange: 1)
    }
    #expect(error?.kind == .tooSmall)
  }

  @Test func relativeL2AndCosineAreThoseOfNumPy() throws {
    let difference = try TensorDifference(of: result, from: reference)
    #expect(isNear(difference.relativeL2, expected.relative_l2, 1e-12))
    #expect(isNear(difference.cosineSimilarity, expected.cosine, 1e-12))
    let steps = try TensorDifference.alongFirstAxis(
      of: result.sliced(axis: 1, first: 0, count: 1).transposed([2, 0, 1, 3, 4]),
      from: reference.sliced(axis: 1, first: 0, count: 1).transposed([2, 0, 1, 3, 4]))
    #expect(steps.count == 4)
    let frame = try TensorDifference(
      of: result.sliced(axis: 1, first: 0, count: 1).sliced(axis: 2, first: 3, count: 1),
      from: reference.sliced(axis: 1, first: 0, count: 1).sliced(axis: 2, first: 3, count: 1))
    #expect(steps[3].relativeL2 == frame.relativeL2)
  }

  @Test func lpipsIsThatOfThePackage() throws {
    let measure = try PerceptualDistance(
      backbone: try Self.network("lpips.onnx"), heads: try Self.heads())
    let ours = try measure.distances(
      of: try PictureSequence(result), from: try PictureSequence(reference))
    #expect(ours.count == expected.lpips.count)
    for (a, b) in zip(ours, expected.lpips) { #expect(isNear(a, b, 1e-6), "\(a) \(b)") }
    let same = try measure.distances(
      of: try PictureSequence(result), from: try PictureSequence(result))
    #expect(same == [0, 0, 0, 0])
  }

  @Test func headsThatDoNotFitTheBackboneAreRefused() throws {
    let sequence = try PictureSequence(result)
    for heads in [try Self.heads().dropLast(), try Self.heads().reversed()] {
      let measure = try PerceptualDistance(
        backbone: try Self.network("lpips.onnx"), heads: Array(heads))
      #expect(throws: QualityError.self) { try measure.distances(of: sequence, from: sequence) }
    }
  }

  @Test func featuresOfPicturesAndVideosAreThoseOfPyTorch() throws {
    let pictures = try Self.network("features.onnx").features(of: try PictureSequence(result))
    let videos = try Self.network("video_features.onnx")
      .features(of: try PictureSequence(reference))
    for (ours, theirs) in [
      (pictures, expected.picture_features), (videos, [expected.video_features]),
    ] {
      #expect(ours.count == theirs.count)
      for (a, b) in zip(ours.joined(), theirs.joined()) { #expect(isNear(a, b, 1e-6)) }
    }
  }

  @Test func frechetDistanceIsThatOfSciPy() throws {
    let wide = try FrechetDistance.between(
      try FeatureStatistics(try Self.vectors("wide_a")),
      try FeatureStatistics(try Self.vectors("wide_b")))
    #expect(isNear(wide, expected.frechet_wide, 1e-9), "\(wide)")
    // Covariances of low rank, whose root SciPy finds less exactly.
    let few = try FrechetDistance.between(
      try FeatureStatistics(try Self.vectors("wide_a", prefix: 6)),
      try FeatureStatistics(try Self.vectors("wide_b", prefix: 6)))
    #expect(isNear(few, expected.frechet_few, 1e-5), "\(few) \(expected.frechet_few)")
    let network = try Self.network("features.onnx")
    let pictures = try FrechetDistance.between(
      try FeatureStatistics(try network.features(of: try PictureSequence(result))),
      try FeatureStatistics(try network.features(of: try PictureSequence(reference))))
    #expect(isNear(pictures, expected.frechet_pictures, 1e-6))
  }

  @Test func frechetDistanceOfOneVectorIsRefused() throws {
    #expect(throws: QualityError.self) { try FeatureStatistics([[1, 2]]) }
    let nan = try FeatureStatistics([[1, .nan], [0, 2]])
    #expect(throws: QualityError.self) { try FrechetDistance.between(nan, nan) }
  }
}
