import Quality
import Tensors

/// A result to be judged.
struct GeneratedResult {
  /// The last latents, (B, …).
  let final: Tensor
  /// What a decoder makes of them, (B, 1 or 3, …), if there is one.
  var pixels: Tensor?
  /// The latents before each step and after the last, (S + 1, B, …), if they were recorded.
  var latents: Tensor?
  /// Wall time of the denoising loop.
  var seconds: Double?

  /// What quality is judged by: pixels where there are any.
  var shown: Tensor { pixels ?? final }
}

/// What distinguishes one sample from its uncached counterpart.
struct MeasuredSample {
  let quality: GenerationQuality
  /// The last latents.
  let latents: TensorDifference
  /// LPIPS averaged over frames.
  let lpips: Double?
  /// The latents before each step and after the last.
  let steps: [TensorDifference]
}

/// Compares results sample by sample.
struct Measurement {
  let networks: QualityNetworks?

  /// The samples of a result beside those of the uncached one.
  func samples(
    of result: GeneratedResult, against reference: GeneratedResult
  ) throws -> [MeasuredSample] {
    guard result.final.shape == reference.final.shape, result.final.rank > 0 else {
      throw QualityError(
        .shapeMismatch,
        "The result has the shape \(result.final.shape), the reference \(reference.final.shape).")
    }
    let (own, other) = (result.shown, reference.shown)
    let content = GeneratedContent(shape: own.shape)
    let count = result.final.shape[0]
    var distances: [Double] = []
    if let perceptual = networks?.perceptual, content == .pixels {
      distances = try perceptual.distances(
        of: try PictureSequence(own), from: try PictureSequence(other))
    }
    let frames = count == 0 ? 0 : distances.count / count
    return try (0..<count).map { sample in
      let lpips = distances[sample * frames..<(sample + 1) * frames]
      return MeasuredSample(
        quality: try GenerationQuality(
          of: own.sliced(axis: 0, first: sample, count: 1),
          against: other.sliced(axis: 0, first: sample, count: 1), content: content),
        latents: try TensorDifference(
          of: result.final.sliced(axis: 0, first: sample, count: 1),
          from: reference.final.sliced(axis: 0, first: sample, count: 1)),
        lpips: lpips.isEmpty ? nil : lpips.reduce(0, +) / Double(lpips.count),
        steps: try steps(sample, result, reference))
    }
  }

  /// What the feature network sees; nothing for latents.
  func features(of result: GeneratedResult) throws -> [[Double]] {
    guard let network = networks?.features,
      GeneratedContent(shape: result.shown.shape) == .pixels
    else { return [] }
    return try network.features(of: try PictureSequence(result.shown))
  }

  private func steps(
    _ sample: Int, _ result: GeneratedResult, _ reference: GeneratedResult
  ) throws -> [TensorDifference] {
    guard let own = result.latents, let other = reference.latents, own.shape == other.shape,
      own.rank > 1
    else { return [] }
    return try TensorDifference.alongFirstAxis(
      of: own.sliced(axis: 1, first: sample, count: 1),
      from: other.sliced(axis: 1, first: sample, count: 1))
  }
}
