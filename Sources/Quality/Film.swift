public import Tensors

/// Videos that play side by side: a labelled column for each, its samples from top to bottom.
///
/// Videos and colours are those of `ContactSheet`; a shorter video keeps its last frame.
public enum Film {
  private static let gap = 4
  private static let margin = 8
  private static let fontScale = 1

  /// Draws the columns; each pixel becomes a square of `scale` × `scale`, 1 to 64.
  public static func render(
    columns: [(label: String, video: Tensor)], scale: Int = 4
  ) throws(QualityError) -> AnimatedImage {
    var strips: [[FrameStrip]] = []
    for (label, video) in columns {
      strips.append(try FrameStrip.strips(of: video, label: label).map(\.frames))
    }
    guard !strips.isEmpty, (1...64).contains(scale) else {
      throw QualityError(.notAVideo, "A film needs a video, and a scale from 1 to 64.")
    }
    var latentRange = ValueRange()
    for strip in strips.joined() where strip.isLatent { strip.extend(&latentRange) }

    let labelHeight = LabelFont.rowCount * fontScale + gap
    let widths = strips.map { $0.map { $0.columnCount * scale }.max() ?? 0 }
    let heights = strips.map { $0.reduce(-gap) { $0 + $1.height(scale: scale) + gap } }
    let blank = try RGBImage(
      width: widths.reduce(2 * margin - gap) { $0 + $1 + gap },
      height: 2 * margin + labelHeight + (heights.max() ?? 0), filledWith: .white)
    var frames: [RGBImage] = []
    for frame in 0..<(strips.joined().map(\.frameCount).max() ?? 0) {
      var image = blank
      var x = margin
      for (column, samples) in strips.enumerated() {
        LabelFont.draw(
          columns[column].label, x: x, y: margin, scale: fontScale, color: .ink, in: &image)
        var y = margin + labelHeight
        for strip in samples {
          strip.draw(
            min(frame, strip.frameCount - 1), x: x, y: y, scale: scale, latentRange: latentRange,
            in: &image)
          y += strip.height(scale: scale) + gap
        }
        x += widths[column] + gap
      }
      frames.append(image)
    }
    return try AnimatedImage(frames: frames)
  }
}
