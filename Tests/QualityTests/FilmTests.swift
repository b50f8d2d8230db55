import CWebP
import Quality
import Tensors
import TestSupport
import Testing

@Suite struct FilmTests {
  @Test func videosPlaySideBySideFrameByFrame() throws {
    let video = try ContactSheetTests.video()
    let film = try Film.render(columns: [("", video), ("", video)], scale: 2)
    #expect(film.frames.count == 2)
    let first = film.frames[0]
    let second = film.frames[1]
    #expect(first.width == 8 + 4 + 4 + 4 + 8 && first.height == 8 + 11 + 2 + 8)
    for x in [8, 16] {
      #expect(first[x, 19] == RGBImage.Color(red: 255, green: 0, blue: 0))
      #expect(first[x + 2, 19] == ContactSheetTests.black)
      #expect(second[x, 19] == .white)
      #expect(second[x + 2, 19] == ContactSheetTests.grey)
    }
  }

  @Test func aShorterVideoKeepsItsLastFrame() throws {
    let still = Tensor([1, 1, 1] as [Float], shape: try Shape([3, 1, 1, 1]))
    let film = try Film.render(
      columns: [("", try ContactSheetTests.video()), ("", still)], scale: 1)
    #expect(film.frames.count == 2)
    #expect(film.frames[1][14, 19] == .white)
  }

  @Test func webPHoldsEveryFrameWithoutLoss() throws {
    let film = try Film.render(columns: [("", try ContactSheetTests.video())], scale: 3)
    let bytes = try film.webPData()
    try bytes.withUnsafeBufferPointer { buffer in
      var data = WebPData(bytes: buffer.baseAddress, size: buffer.count)
      let mux = try #require(WebPMuxCreate(&data, 0))
      defer { WebPMuxDelete(mux) }
      var count: CInt = 0
      #expect(WebPMuxNumChunks(mux, WEBP_CHUNK_ANMF, &count) == WEBP_MUX_OK)
      #expect(count == 2)
      var animation = WebPMuxAnimParams()
      #expect(WebPMuxGetAnimationParams(mux, &animation) == WEBP_MUX_OK)
      #expect(animation.loop_count == 0)
      var frame = WebPMuxFrameInfo()
      #expect(WebPMuxGetFrame(mux, 1, &frame) == WEBP_MUX_OK)
      defer { WebPDataClear(&frame.bitstream) }
      #expect(frame.duration == 125)
      var (width, height): (CInt, CInt) = (0, 0)
      let pixels = try #require(
        WebPDecodeRGB(frame.bitstream.bytes, frame.bitstream.size, &width, &height))
      defer { WebPFree(pixels) }
      let picture = film.frames[0]
      #expect(Int(width) == picture.width && Int(height) == picture.height)
      #expect(
        Array(UnsafeBufferPointer(start: pixels, count: 3 * Int(width * height)))
          == picture.pixels)
    }
  }

  @Test func picturesOfDifferentSizesAreNoAnimation() throws {
    let small = try RGBImage(width: 1, height: 1, filledWith: .white)
    let large = try RGBImage(width: 2, height: 1, filledWith: .white)
    #expect(throws: QualityError.self) { try AnimatedImage(frames: [small, large]) }
    #expect(throws: QualityError.self) { try AnimatedImage(frames: []) }
  }
}
