import Diffusion
import Foundation
import Quality
import TensorFiles
import Tensors

/// What a sampling run shows: its result, that of the uncached run, and where they differ.
struct SamplePictures {
  private let final: Tensor
  private let baseline: Tensor?
  private let pixels: (run: Tensor, baseline: Tensor?)?
  private let title: String

  private static let shownSamples = 4

  /// How often a difference is amplified in the pictures.
  static let amplification: Float = 4

  init(_ result: SampleJob.Result, isCached: Bool, decoder: LatentDecoder?) throws {
    final = result.run.final
    baseline = result.baseline?.final
    title = isCached ? "cached" : "uncached"
    let baseline = self.baseline
    let final = self.final
    pixels = try decoder.map { decoder in
      (try decoder.pixels(of: final), try baseline.map { try decoder.pixels(of: $0) })
    }
  }

  /// The decoded run beside the decoded baseline.
  func pixelQuality() throws -> GenerationQuality? {
    guard let pixels, let baseline = pixels.baseline else { return nil }
    return try GenerationQuality(of: pixels.run, against: baseline, content: .pixels)
  }

  /// Writes `final.npz`, `contact-sheet.png`, and of videos `film.webp` and, where ffmpeg is
  /// installed, `film.mp4`.
  func write(to folder: String) throws -> (files: [String], warnings: [String]) {
    var arrays: [(name: String, tensor: Tensor)] = [("final", final)]
    if let baseline { arrays.append(("baseline", baseline)) }
    if let pixels { arrays.append(("pixels", pixels.run)) }
    if let baseline = pixels?.baseline { arrays.append(("baseline_pixels", baseline)) }
    let latents = "\(folder)/final.npz"
    try NPZFile.write(arrays, to: latents)
    let rows = try rows()
    guard rows.allSatisfy({ $0.video.rank == 5 }) else { return ([latents], []) }
    let picture = "\(folder)/contact-sheet.png"
    try ContactSheet.render(rows: rows).writePNG(to: picture)
    guard rows.allSatisfy({ $0.video.shape[2] > 1 }) else { return ([latents, picture], []) }
    let film = try Film.render(columns: rows)
    let animation = "\(folder)/film.webp"
    try film.writeWebP(to: animation)
    let files = [latents, picture, animation]
    guard
      let ffmpeg = AnimatedImage.ffmpeg(on: ProcessInfo.processInfo.environment["PATH"])
    else { return (files, []) }
    do throws(QualityError) {
      let video = "\(folder)/film.mp4"
      try film.writeMP4(to: video, with: ffmpeg)
      return (files + [video], [])
    } catch {
      return (files, ["film.mp4 was not written: \(error.message)"])
    }
  }

  /// Each sample beside the uncached one and their difference, or alone; none of what is no picture.
  func samples() throws -> [[(label: String, image: RGBImage)]] {
    let run = (pixels?.run ?? final).asVideo
    guard run.rank == 5, run.shape[1] != 2 else { return [] }
    let baseline = (pixels.map { $0.baseline } ?? baseline)?.asVideo
    return try (0..<min(run.shape[0], Self.shownSamples)).map { sample in
      let own = run.sliced(axis: 0, first: sample, count: 1)
      return try Comparison.strips(
        of: own, named: title, against: baseline?.sliced(axis: 0, first: sample, count: 1))
    }
  }

  private func rows() throws -> [(label: String, video: Tensor)] {
    let run = (pixels?.run ?? final).asVideo
    guard let baseline = pixels.map({ $0.baseline }) ?? baseline else { return [(title, run)] }
    let other = baseline.asVideo
    var rows = [("uncached", other), (title, run)]
    if run.shape == other.shape, run.rank == 5, [1, 3].contains(run.shape[1]) {
      rows.append(("difference ×\(Int(Self.amplification))", try difference(run, other)))
    }
    return rows.map { (label: $0.0, video: $0.1) }
  }

  /// `4·|a − b| − 1`: black where nothing differs.
  private func difference(_ a: Tensor, _ b: Tensor) throws -> Tensor {
    let pairs = zip(a.elements(as: Float.self), b.elements(as: Float.self))
    return Tensor(pairs.map { Self.amplification * abs($0 - $1) - 1 }, shape: a.shape)
  }
}
