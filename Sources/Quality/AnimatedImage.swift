import CWebP
public import Tensors

/// Pictures of one size that are shown in turn, over and over.
public struct AnimatedImage: Sendable {
  /// The pictures in order; at least one.
  public let frames: [RGBImage]

  /// How long each is shown, in milliseconds.
  public let frameDuration: Int

  /// An animation of pictures that all have the size of the first.
  public init(frames: [RGBImage], frameDuration: Int = 125) throws(QualityError) {
    guard let first = frames.first, (1...60_000).contains(frameDuration),
      frames.allSatisfy({ $0.width == first.width && $0.height == first.height })
    else {
      throw QualityError(
        .notAVideo,
        "An animation needs pictures of one size, each shown for 1 to 60,000 ms, "
          + "not \(frameDuration) ms.")
    }
    guard max(first.width, first.height) <= Int(WEBP_MAX_DIMENSION) else {
      throw QualityError(
        .overLimit,
        "An animation of \(first.width) × \(first.height) pixels is over WebP's limit of "
          + "\(WEBP_MAX_DIMENSION).",
        hint: "Show fewer samples, or scale less.")
    }
    self.frames = frames
    self.frameDuration = frameDuration
  }

  /// The animation as a lossless WebP file.
  public func webPData() throws(QualityError) -> [UInt8] {
    var options = WebPAnimEncoderOptions()
    var config = WebPConfig()
    guard WebPAnimEncoderOptionsInit(&options) != 0, WebPConfigInit(&config) != 0,
      WebPConfigLosslessPreset(&config, 4) != 0,
      let encoder = WebPAnimEncoderNew(
        CInt(frames[0].width), CInt(frames[0].height), &options)
    else { throw failure("the encoder could not be set up") }
    defer { WebPAnimEncoderDelete(encoder) }
    for (number, frame) in frames.enumerated() {
      var picture = WebPPicture()
      guard WebPPictureInit(&picture) != 0 else { throw failure("no picture could be set up") }
      picture.use_argb = 1
      picture.width = CInt(frame.width)
      picture.height = CInt(frame.height)
      defer { WebPPictureFree(&picture) }
      guard WebPPictureImportRGB(&picture, frame.pixels, CInt(3 * frame.width)) != 0,
        WebPAnimEncoderAdd(encoder, &picture, CInt(number * frameDuration), &config) != 0
      else { throw failure(String(cString: WebPAnimEncoderGetError(encoder))) }
    }
    var data = WebPData()
    WebPDataInit(&data)
    defer { WebPDataClear(&data) }
    guard WebPAnimEncoderAdd(encoder, nil, CInt(frames.count * frameDuration), nil) != 0,
      WebPAnimEncoderAssemble(encoder, &data) != 0
    else { throw failure(String(cString: WebPAnimEncoderGetError(encoder))) }
    return Array(UnsafeBufferPointer(start: data.bytes, count: data.size))
  }

  /// Writes the animation durably; `inputs` are files that must not be replaced.
  public func writeWebP(
    to path: String, inputs: Set<FileIdentity> = []
  ) throws(QualityError) {
    try QualityError.writing(try webPData(), to: path, inputs: inputs)
  }

  private func failure(_ message: String) -> QualityError {
    QualityError(.encodingFailed, "libwebp could not encode the animation: \(message).")
  }
}
