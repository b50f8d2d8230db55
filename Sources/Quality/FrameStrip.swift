import Tensors

/// The frames of one sample.
struct FrameStrip {
  /// Row-major (C, F, H, W).
  let values: [Double]
  let channelCount, frameCount, rowCount, columnCount: Int

  /// The samples of a video; only the first has the label.
  static func strips(
    of video: Tensor, label: String
  ) throws(QualityError) -> [(label: String, frames: FrameStrip)] {
    let dimensions = video.rank == 4 ? [1] + video.shape.dimensions : video.shape.dimensions
    guard dimensions.count == 5, video.elementCount > 0, dimensions[1] != 2 else {
      throw QualityError(
        .notAVideo, at: label,
        "A tensor of shape \(video.shape) cannot be shown; frames need (C, F, H, W) with C ≠ 2.")
    }
    var values: [Double] = []
    values.reserveCapacity(video.elementCount)
    try RealElements(video).forEachChunk { values += $0 }
    let sampleCount = values.count / dimensions[0]
    return (0..<dimensions[0]).map { sample in
      let strip = FrameStrip(
        values: Array(values[(sample * sampleCount)..<((sample + 1) * sampleCount)]),
        channelCount: dimensions[1], frameCount: dimensions[2], rowCount: dimensions[3],
        columnCount: dimensions[4])
      return (sample == 0 ? label : "", strip)
    }
  }

  var isLatent: Bool { channelCount > 3 }

  /// Widens a range by the values that are shown.
  func extend(_ range: inout ValueRange) {
    for value in values.prefix(3 * frameCount * rowCount * columnCount) { range.include(value) }
  }

  func width(scale: Int, gap: Int) -> Int {
    frameCount * (columnCount * scale + gap) - gap
  }

  func height(scale: Int) -> Int { rowCount * scale }

  /// Paints the frames from left to right, the first with its top left corner at a place.
  func draw(
    x: Int, y: Int, scale: Int, gap: Int, latentRange: ValueRange, in image: inout RGBImage
  ) {
    for frame in 0..<frameCount {
      draw(
        frame, x: x + frame * (columnCount * scale + gap), y: y, scale: scale,
        latentRange: latentRange, in: &image)
    }
  }

  /// Paints one frame with its top left corner at a place.
  func draw(
    _ frame: Int, x: Int, y: Int, scale: Int, latentRange: ValueRange, in image: inout RGBImage
  ) {
    for row in 0..<rowCount {
      for column in 0..<columnCount {
        let color = color(frame: frame, row: row, column: column, latentRange: latentRange)
        image.fill(
          x: x + column * scale, y: y + row * scale, width: scale, height: scale, with: color)
      }
    }
  }

  private func color(
    frame: Int, row: Int, column: Int, latentRange: ValueRange
  ) -> RGBImage.Color {
    func level(_ channel: Int) -> UInt8 {
      let index = ((channel * frameCount + frame) * rowCount + row) * columnCount + column
      let unit =
        isLatent
        ? Pixels.unit(values[index], from: latentRange.lowest, to: latentRange.highest)
        : Pixels.unit(values[index], from: -1, to: 1)
      return unit.isNaN ? 0 : UInt8((unit * 255).rounded())
    }
    guard channelCount > 1 else {
      return RGBImage.Color(red: level(0), green: level(0), blue: level(0))
    }
    return RGBImage.Color(red: level(0), green: level(1), blue: level(2))
  }
}
