public import Tensors

extension AnimatedImage {
  /// A video (C, F, H, W), one or three channels in [−1, 1], frame by frame as it is.
  ///
  /// - Throws: `QualityError` for anything else
  public init(video: Tensor, frameDuration: Int = 125) throws(QualityError) {
    let strips = try FrameStrip.strips(of: video, label: "")
    guard strips.count == 1, let strip = strips.first?.frames, !strip.isLatent else {
      throw QualityError(
        .notAVideo, "A tensor of shape \(video.shape) is no video of one or three channels.")
    }
    var frames: [RGBImage] = []
    for frame in 0..<strip.frameCount {
      var image = try RGBImage(
        width: strip.columnCount, height: strip.rowCount, filledWith: .white)
      strip.draw(frame, x: 0, y: 0, scale: 1, latentRange: ValueRange(), in: &image)
      frames.append(image)
    }
    try self.init(frames: frames, frameDuration: frameDuration)
  }
}
