import CPNG
public import Tensors

/// A picture of eight bits per colour.
public struct RGBImage: Hashable, Sendable {
  /// Columns.
  public let width: Int

  /// Rows.
  public let height: Int

  /// Red, green and blue of each pixel, row by row from the top left.
  public private(set) var pixels: [UInt8]

  /// The greatest number of pixels of one picture.
  public static let pixelCountLimit = 1 << 28

  /// A colour.
  public struct Color: Hashable, Sendable {
    /// The three parts, 0 to 255.
    public var red, green, blue: UInt8

    /// A colour of three parts.
    public init(red: UInt8, green: UInt8, blue: UInt8) {
      (self.red, self.green, self.blue) = (red, green, blue)
    }

    /// White.
    public static let white = Color(red: 255, green: 255, blue: 255)

    /// A grey that is nearly black.
    public static let ink = Color(red: 32, green: 32, blue: 32)
  }

  /// A picture of one colour.
  public init(width: Int, height: Int, filledWith color: Color) throws(QualityError) {
    let (count, overflow) = width.multipliedReportingOverflow(by: height)
    guard width > 0, height > 0, !overflow, count <= RGBImage.pixelCountLimit else {
      throw QualityError(
        .overLimit, "A picture of \(width) × \(height) pixels cannot be made.",
        hint: "Show fewer frames, or scale less.")
    }
    self.width = width
    self.height = height
    pixels = []
    pixels.reserveCapacity(3 * count)
    for _ in 0..<count { pixels += [color.red, color.green, color.blue] }
  }

  /// The colour at a place, which must lie inside.
  public subscript(x: Int, y: Int) -> Color {
    get {
      let index = 3 * (y * width + x)
      return Color(red: pixels[index], green: pixels[index + 1], blue: pixels[index + 2])
    }
    set {
      let index = 3 * (y * width + x)
      pixels[index] = newValue.red
      pixels[index + 1] = newValue.green
      pixels[index + 2] = newValue.blue
    }
  }

  /// Paints the part of a rectangle that lies inside.
  mutating func fill(x: Int, y: Int, width: Int, height: Int, with color: Color) {
    for row in max(y, 0)..<max(min(y + height, self.height), max(y, 0)) {
      for column in max(x, 0)..<max(min(x + width, self.width), max(x, 0)) {
        self[column, row] = color
      }
    }
  }

  /// The picture as a PNG file.
  public func pngData() throws(QualityError) -> [UInt8] {
    var image = png_image()
    image.version = png_uint_32(PNG_IMAGE_VERSION)
    image.width = png_uint_32(width)
    image.height = png_uint_32(height)
    image.format = png_uint_32(PNG_FORMAT_FLAG_COLOR)
    var byteCount: png_alloc_size_t = 0
    guard png_image_write_to_memory(&image, nil, &byteCount, 0, pixels, 0, nil) != 0 else {
      throw RGBImage.encodingError(&image)
    }
    var bytes = [UInt8](repeating: 0, count: Int(byteCount))
    guard png_image_write_to_memory(&image, &bytes, &byteCount, 0, pixels, 0, nil) != 0 else {
      throw RGBImage.encodingError(&image)
    }
    bytes.removeLast(bytes.count - Int(byteCount))
    return bytes
  }

  /// Writes the picture durably; `inputs` are files that must not be replaced.
  public func writePNG(
    to path: String, inputs: Set<FileIdentity> = []
  ) throws(QualityError) {
    try QualityError.writing(try pngData(), to: path, inputs: inputs)
  }

  private static func encodingError(_ image: inout png_image) -> QualityError {
    let message = withUnsafeBytes(of: image.message) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    png_image_free(&image)
    return QualityError(.encodingFailed, "libpng could not encode the picture: \(message).")
  }
}
