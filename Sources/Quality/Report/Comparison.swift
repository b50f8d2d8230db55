public import Tensors

/// Two results and where they differ, as strips of frames.
public enum Comparison {
  /// How much differences of colours are amplified.
  public static let amplification = 4.0

  /// The strips of the first sample: both results, and the amount by which they differ; the result
  /// alone without a reference.
  ///
  /// Results are (B, C, F, H, W). The reference can be left out where it is shown already. Colours differ by at most 2; a quarter of that is white. Of latents
  /// the difference itself is shown, in its own range.
  public static func strips(
    of result: Tensor, named name: String, against reference: Tensor?,
    showingReference: Bool = true
  ) throws(QualityError) -> [(label: String, image: RGBImage)] {
    guard let reference else {
      let scale = scale(result)
      return [
        (name, try ContactSheet.render(rows: [("", result)], scale: scale, margin: 0))
      ]
    }
    guard result.shape == reference.shape, result.rank == 5, result.shape[0] > 0 else {
      throw QualityError(
        .notAVideo, at: name,
        "Results of shape \(result.shape) and \(reference.shape) cannot be shown side by side.")
    }
    let own = result.sliced(axis: 0, first: 0, count: 1)
    let other = reference.sliced(axis: 0, first: 0, count: 1)
    let isPixels = [1, 3].contains(own.shape[1])
    let (a, b) = (try RealElements(own).values, try RealElements(other).values)
    let difference = zip(a, b).map { x, y -> Double in
      let distance = abs(min(max(x, -1), 1) - min(max(y, -1), 1)) / 2
      return isPixels ? 2 * min(amplification * distance, 1) - 1 : x - y
    }
    let scale = scale(own)
    let label = isPixels ? "difference × \(Int(amplification))" : "difference"
    var images: [(label: String, image: RGBImage)] = []
    let rows = [
      ("uncached", other), (name, own), (label, Tensor(difference, shape: own.shape)),
    ]
    for (label, video) in rows.dropFirst(showingReference ? 0 : 1) {
      images.append(
        (label, try ContactSheet.render(rows: [("", video)], scale: scale, margin: 0)))
    }
    return images
  }

  private static func scale(_ video: Tensor) -> Int {
    max(1, min(6, 160 / max(video.rank > 1 ? video.shape[video.rank - 2] : 1, 1)))
  }
}
