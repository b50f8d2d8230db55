import CPNG
import Quality
import Tensors
import TestSupport
import Testing

@Suite struct ContactSheetTests {
  /// Two frames of 1 × 2 pixels: red and black, then white and a grey beyond the range.
  static func video() throws -> Tensor {
    let red: [Float] = [1, -1, 1, 0]
    let green: [Float] = [-1, -1, 1, 0]
    let blue: [Float] = [-1, -7, 9, 0]
    return Tensor(red + green + blue, shape: try Shape([3, 2, 1, 2]))
  }

  static let black = RGBImage.Color(red: 0, green: 0, blue: 0)
  static let grey = RGBImage.Color(red: 128, green: 128, blue: 128)

  @Test func framesStandSideBySideScaledToSquares() throws {
    let sheet = try ContactSheet.render(rows: [("", try ContactSheetTests.video())], scale: 3)
    #expect(sheet.width == 12 + 6 + 4 + 6 + 12)
    #expect(sheet.height == 12 + 3 + 12)
    for y in 12..<15 {
      for x in 0..<3 {
        #expect(sheet[12 + x, y] == RGBImage.Color(red: 255, green: 0, blue: 0))
        #expect(sheet[15 + x, y] == ContactSheetTests.black)
        #expect(sheet[18 + x, y] == .white)
        #expect(sheet[25 + x, y] == ContactSheetTests.grey)
      }
    }
    #expect(sheet[11, 12] == .white && sheet[12, 11] == .white && sheet[12, 15] == .white)
  }

  @Test func everySampleGetsAStripAndEveryRowALabel() throws {
    let video = try ContactSheetTests.video().contiguous()
    let batch = Tensor(
      video.elements(as: Float.self) + video.elements(as: Float.self),
      shape: try Shape([2, 3, 2, 1, 2]))
    let sheet = try ContactSheet.render(rows: [("I", batch), ("", video)], scale: 1)
    let labelHeight = 4 + 14 + 4
    #expect(sheet.height == 12 + labelHeight + 3 * 1 + 2 * 4 + 12)
    let art = (16..<30).map { y in
      String((12..<22).map { x in sheet[x, y] == .ink ? "#" : "." })
    }
    #expect(art[0] == "..######.." && art[2] == "....##...." && art[13] == "..######..")
    for y in [34, 39, 44] {
      #expect(sheet[12, y] == RGBImage.Color(red: 255, green: 0, blue: 0), "line \(y)")
    }
  }

  @Test func samplesOfOneFrameStandSideBySide() throws {
    let video = try ContactSheetTests.video()
    let frames = try ContactSheet.render(rows: [("", video)])
    let images = video.transposed([1, 0, 2, 3]).contiguous()
    let samples = Tensor(images.elements(as: Float.self), shape: try Shape([2, 3, 1, 1, 2]))
    #expect(try ContactSheet.render(rows: [("", samples)]).pixels == frames.pixels)
  }

  @Test func latentsShareOneScaleOverAllRows() throws {
    let shape = try Shape([4, 1, 1, 1])
    let first = Tensor([0, 10, 20, 1000] as [Float], shape: shape)
    let second = Tensor([40, 40, 40, -1000] as [Float], shape: shape)
    let sheet = try ContactSheet.render(rows: [("", first), ("", second)], scale: 1)
    #expect(sheet[12, 12] == RGBImage.Color(red: 0, green: 64, blue: 128))
    #expect(sheet[12, 17] == .white)
  }

  @Test func whatIsNotAVideoIsRefused() throws {
    let cases = [[3, 4], [2, 1, 4, 4], [1, 1, 3, 1, 4, 4], [3, 0, 4, 4]]
    for dimensions in cases {
      let shape = try Shape(dimensions)
      let tensor = Tensor([Float](repeating: 0, count: shape.elementCount), shape: shape)
      let error = #expect(throws: QualityError.self) {
        try ContactSheet.render(rows: [("row", tensor)])
      }
      #expect(error?.kind == .notAVideo && error?.place == "row")
    }
    #expect(throws: QualityError.self) { try ContactSheet.render(rows: []) }
    #expect(throws: QualityError.self) {
      try ContactSheet.render(rows: [("", try ContactSheetTests.video())], scale: 0)
    }
  }

  @Test func aPictureOverTheLimitIsRefusedBeforeItIsMade() throws {
    for (width, height) in [(1 << 20, 1 << 20), (Int.max, 2), (0, 1), (-1, -1)] {
      let error = #expect(throws: QualityError.self) {
        try RGBImage(width: width, height: height, filledWith: .white)
      }
      #expect(error?.kind == .overLimit)
    }
  }

  @Test func libpngReadsBackWhatWasWritten() throws {
    let sheet = try ContactSheet.render(
      rows: [("Baseline 1.5×", try ContactSheetTests.video())], scale: 20)
    let folder = try TemporaryFolder()
    try sheet.writePNG(to: folder.path("sheet.png"))
    let bytes = try folder.bytes("sheet.png")
    #expect(try sheet.pngData() == bytes)
    var image = png_image()
    image.version = png_uint_32(PNG_IMAGE_VERSION)
    #expect(png_image_begin_read_from_memory(&image, bytes, bytes.count) != 0)
    #expect(Int(image.width) == sheet.width && Int(image.height) == sheet.height)
    #expect(image.format == png_uint_32(PNG_FORMAT_FLAG_COLOR))
    var pixels = [UInt8](repeating: 0, count: sheet.pixels.count)
    #expect(png_image_finish_read(&image, nil, &pixels, 0, nil) != 0)
    #expect(pixels == sheet.pixels)
    #expect(try folder.names == ["sheet.png"])
  }
}
