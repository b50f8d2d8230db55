public import Tensors

/// Generated colours as the pictures that networks look at.
///
/// Samples are (B, C, F, H, W), or (B, C, H, W) for one frame each; one channel stands for three
/// equal ones. Colours lie in [−1, 1] and are clamped.
public struct PictureSequence: Sendable {
  /// How many samples there are.
  public let sampleCount: Int
  /// Frames of each sample.
  public let frameCount: Int
  private let height, width: Int
  private let channelCount: Int
  private let colors: [Float]

  /// The pictures of a tensor of one or three channels.
  public init(_ tensor: Tensor) throws(QualityError) {
    var sizes = tensor.shape.dimensions
    if sizes.count == 4 { sizes.insert(1, at: 2) }
    guard sizes.count == 5, [1, 3].contains(sizes[1]), tensor.elementCount > 0 else {
      throw QualityError(
        .notAVideo,
        "A tensor of shape \(tensor.shape) holds no pictures; (B, C, F, H, W) with 1 or 3 channels "
          + "was expected.")
    }
    (sampleCount, channelCount, frameCount) = (sizes[0], sizes[1], sizes[2])
    (height, width) = (sizes[3], sizes[4])
    colors = try RealElements(tensor).values.map { min(max(Float($0), -1), 1) }
  }

  /// One frame as (1, 3, H, W), its colours `scale` times those in [−1, 1] plus `offset`.
  func picture(
    _ sample: Int, frame: Int, scale: Float = 1, offset: Float = 0
  ) throws(QualityError) -> Tensor {
    try tensor(sample, frames: frame..<frame + 1, scale: scale, offset: offset, isVideo: false)
  }

  /// A whole sample as (1, 3, F, H, W).
  func video(
    _ sample: Int, scale: Float = 1, offset: Float = 0
  ) throws(QualityError) -> Tensor {
    try tensor(sample, frames: 0..<frameCount, scale: scale, offset: offset, isVideo: true)
  }

  private func tensor(
    _ sample: Int, frames: Range<Int>, scale: Float, offset: Float, isVideo: Bool
  ) throws(QualityError) -> Tensor {
    let sizes = isVideo ? [1, 3, frames.count, height, width] : [1, 3, height, width]
    guard let shape = try? Shape(sizes) else {
      throw QualityError(.overLimit, "A picture of \(height) × \(width) pixels is too large.")
    }
    var numbers: [Float] = []
    numbers.reserveCapacity(shape.elementCount)
    let plane = height * width
    for channel in 0..<3 {
      let own = sample * channelCount + min(channel, channelCount - 1)
      let start = (own * frameCount + frames.lowerBound) * plane
      for color in colors[start..<start + frames.count * plane] {
        numbers.append(color * scale + offset)
      }
    }
    return Tensor(numbers, shape: shape)
  }
}
