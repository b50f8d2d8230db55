public import Tensors

/// What the elements of a generated tensor stand for.
public enum GeneratedContent: String, Hashable, Sendable {
  /// Values of any scale, to be decoded later.
  case latents
  /// Colours in [−1, 1].
  case pixels
}

/// The quality of a cached run beside the uncached run it stands for.
public struct GenerationQuality: Hashable, Sendable {
  /// True when no element differs.
  public let isIdentical: Bool

  /// Peak signal-to-noise ratio in dB, over `dataRange`; nil when identical.
  public let psnr: Double?

  /// The range of `psnr`: 1 for pixels, the range of the uncached result for latents.
  public let dataRange: Double

  /// mean |cached − uncached| / mean |uncached|, of the elements as they are.
  public let relativeL1: Double

  /// The greatest |cached − uncached|, of the elements as they are.
  public let maximumAbsoluteDifference: Double

  /// Compares two results; pixels are mapped to [0, 1] and clamped for `psnr`.
  public init(
    of cached: Tensor, against uncached: Tensor, content: GeneratedContent
  ) throws(QualityError) {
    let difference = try TensorDifference(of: cached, from: uncached)
    isIdentical = difference.isIdentical
    relativeL1 = difference.relativeL1
    maximumAbsoluteDifference = difference.maximumAbsoluteDifference
    switch content {
    case .latents:
      dataRange = difference.referenceRange
      psnr = difference.psnr(dataRange: dataRange)
    case .pixels:
      dataRange = 1
      psnr = try TensorDifference(of: Pixels.unitRange(cached), from: Pixels.unitRange(uncached))
        .psnr(dataRange: dataRange)
    }
  }
}

/// Colours as diffusion models make them, in [−1, 1].
public enum Pixels {
  /// The colours mapped linearly from [−1, 1] to [0, 1] and clamped, as float64.
  public static func unitRange(_ tensor: Tensor) throws(QualityError) -> Tensor {
    let elements = try RealElements(tensor)
    var values: [Double] = []
    values.reserveCapacity(elements.count)
    elements.forEachChunk { chunk in
      for value in chunk { values.append(Pixels.unit(value, from: -1, to: 1)) }
    }
    return Tensor(values, shape: tensor.shape)
  }

  /// A value mapped from [lowest, highest] to [0, 1] and clamped; NaN stays NaN.
  static func unit(_ value: Double, from lowest: Double, to highest: Double) -> Double {
    let unit = highest > lowest ? (value - lowest) / (highest - lowest) : 0
    return unit.isNaN ? unit : min(max(unit, 0), 1)
  }
}
