public import Tensors

/// Two results and where they differ, as strips of frames.
public enum Comparison {
  /// How much differences of colours are amplified.
  public static let amplification = 4.0

  /// The strips of the first sample: both results, and the amount by which they differ.
  ///
  /// Results are (B, C, F, H, W). Colours differ by at most 2; a quarter of that is white. Of latents
  /// the difference itself is shown, in its own range.
  public static func strips(
    of result: Tensor, named name: String, against reference: Tensor
  ) throws(QualityError) -> [(label: String, image: RGBImage)] {
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
    let scale = max(1, min(6, 300 / max(own.shape[3], 1)))
    let label = isPixels ? "difference × \(Int(amplification))" : "difference"
    var images: [(label: String, image: RGBImage)] = []
    for (label, video) in [
      ("uncached", other), (name, own), (label, Tensor(difference, shape: own.shape)),
    ] {
      images.append((label, try ContactSheet.render(rows: [("", video)], scale: scale)))
    }
    return images
  }
}
