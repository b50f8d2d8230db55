public import Tensors

/// Videos side by side in one picture: a labelled row for each, its frames from left to right.
///
/// A video is a tensor (C, F, H, W), or (B, C, F, H, W) for one strip of frames per sample; samples
/// of one frame share a strip. One channel is grey and three are red, green and blue, both in [−1, 1] and clamped. More are
/// latents: the first three are shown, mapped linearly from the smallest to the greatest value
/// they take in any row, so that rows can be compared.
public enum ContactSheet {
  private static let gap = 4
  /// The usual width of the white edge.
  public static let margin = 12
  private static let fontScale = 2
  private static let scales = 1...64

  /// Draws the rows; each pixel becomes a square of `scale` × `scale`, 1 to 64.
  ///
  /// The edge is `margin` pixels wide, 0 or more.
  public static func render(
    rows: [(label: String, video: Tensor)], scale: Int = 4, margin: Int = margin
  ) throws(QualityError) -> RGBImage {
    var strips: [(label: String, frames: FrameStrip)] = []
    for (label, video) in rows {
      let areImages = video.rank == 5 && video.shape[2] == 1
      strips += try FrameStrip.strips(
        of: areImages ? video.transposed([2, 1, 0, 3, 4]) : video, label: label)
    }
    guard !strips.isEmpty, scales.contains(scale), margin >= 0 else {
      throw QualityError(
        .notAVideo,
        "A contact sheet needs a row, and a scale from \(scales.lowerBound) to "
          + "\(scales.upperBound).")
    }
    var latentRange = ValueRange()
    for (_, strip) in strips where strip.isLatent { strip.extend(&latentRange) }

    let labelHeight = LabelFont.rowCount * fontScale + 2 * gap
    let width = strips.map { $0.frames.width(scale: scale, gap: gap) }.max() ?? 0
    let heights = strips.map { label, strip in
      strip.height(scale: scale) + gap + (label.isEmpty ? 0 : labelHeight)
    }
    var image = try RGBImage(
      width: width + 2 * margin, height: heights.reduce(2 * margin - gap, +), filledWith: .white)
    var y = margin
    for (label, strip) in strips {
      if !label.isEmpty {
        LabelFont.draw(label, x: margin, y: y + gap, scale: fontScale, color: .ink, in: &image)
        y += labelHeight
      }
      strip.draw(x: margin, y: y, scale: scale, gap: gap, latentRange: latentRange, in: &image)
      y += strip.height(scale: scale) + gap
    }
    return image
  }
}
