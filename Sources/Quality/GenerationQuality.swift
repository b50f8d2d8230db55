public import Tensors

/// What the elements of a generated tensor stand for.
public enum GeneratedContent: String, Hashable, Sendable {
  /// Values of any scale, to be decoded later.
  case latents
  /// Colours in [−1, 1].
  case pixels

  /// What results of a shape are: one or three channels are colours.
  public init(shape: Shape) {
    self = [4, 5].contains(shape.rank) && [1, 3].contains(shape[1]) ? .pixels : .latents
  }
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

  /// ‖cached − uncached‖ / ‖uncached‖, of the elements as they are.
  public let relativeL2: Double

  /// The cosine of the angle between both, of the elements as they are.
  public let cosineSimilarity: Double

  /// The structural similarity; nil for latents and for pictures smaller than its window.
  public let structuralSimilarity: Double?

  /// The greatest |cached − uncached|, of the elements as they are.
  public let maximumAbsoluteDifference: Double

  /// Compares two results; pixels are mapped to [0, 1] and clamped for `psnr` and
  /// `structuralSimilarity`.
  public init(
    of cached: Tensor, against uncached: Tensor, content: GeneratedContent
  ) throws(QualityError) {
    let difference = try TensorDifference(of: cached, from: uncached)
    isIdentical = difference.isIdentical
    relativeL1 = difference.relativeL1
    maximumAbsoluteDifference = difference.maximumAbsoluteDifference
    relativeL2 = difference.relativeL2
    cosineSimilarity = difference.cosineSimilarity
    switch content {
    case .latents:
      structuralSimilarity = nil
      dataRange = difference.referenceRange
      psnr = difference.psnr(dataRange: dataRange)
    case .pixels:
      dataRange = 1
      let (own, other) = (try Pixels.unitRange(cached), try Pixels.unitRange(uncached))
      psnr = try TensorDifference(of: own, from: other).psnr(dataRange: dataRange)
      let isLarge =
        own.rank >= 2
        && own.shape.dimensions.suffix(2).allSatisfy { $0 >= StructuralSimilarity.windowSize }
      structuralSimilarity =
        isLarge ? try StructuralSimilarity.mean(of: own, against: other, dataRange: 1) : nil
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
