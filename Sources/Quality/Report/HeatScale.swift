public import Tensors

/// Colours of a range of numbers: dark violet over magenta and orange to pale yellow, evenly in
/// lightness.
public enum HeatScale {
  private static let stops: [SIMD3<Double>] = [
    [24, 15, 61], [91, 22, 110], [158, 47, 100], [217, 82, 63], [247, 142, 36], [252, 229, 160],
  ]
  private static let missing = SIMD3<Double>(136, 136, 136)

  /// Red, green and blue, 0 to 255, of a part of the range; grey where it is not finite.
  static func color(_ part: Double) -> SIMD3<Double> {
    guard part.isFinite else { return missing }
    let place = min(max(part, 0), 1) * Double(stops.count - 1)
    let below = min(Int(place), stops.count - 2)
    return stops[below] + (stops[below + 1] - stops[below]) * (place - Double(below))
  }

  /// A colour as SVG writes it.
  static func hex(_ part: Double) -> String {
    let color = color(part)
    return (0..<3).reduce(into: "#") { text, channel in
      let level = Int(color[channel].rounded())
      text += (level < 16 ? "0" : "") + String(level, radix: 16)
    }
  }

  /// Numbers (F, H, W) as a video (3, F, H, W) of colours in [−1, 1], the least dark.
  ///
  /// - Throws: `QualityError` for another number of axes
  public static func video(_ numbers: Tensor) throws(QualityError) -> Tensor {
    guard numbers.rank == 3, numbers.elementCount > 0,
      let shape = try? Shape([3] + numbers.shape.dimensions)
    else {
      throw QualityError(
        .notAVideo, "Numbers of shape \(numbers.shape) are no map; (F, H, W) was expected.")
    }
    let values = try RealElements(numbers).values
    let (low, high) = (values.min() ?? 0, values.max() ?? 0)
    let colors = values.map { color(high > low ? ($0 - low) / (high - low) : 0) }
    let levels = (0..<3).flatMap { channel in
      colors.map { Float($0[channel] / 127.5 - 1) }
    }
    return Tensor(levels, shape: shape)
  }
}
