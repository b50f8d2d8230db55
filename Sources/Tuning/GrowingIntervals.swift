import Foundation

/// Lists of steps that need no recording: dense at first, with intervals that grow.
///
/// Early errors can turn a run to another picture, which a replay, where nothing turns, does not see.
public enum GrowingIntervals {
  /// `count` of `steps` steps, the first and the last among them: those next to
  /// (S − 1)·(k / (N − 1))^1.5.
  public static func list(_ count: Int, of steps: Int) -> [Int] {
    var result: [Int] = []
    for place in 0..<max(1, min(count, steps)) {
      let part = Double(place) / Double(max(count - 1, 1))
      let step = Int((Double(steps - 1) * pow(part, 1.5)).rounded())
      let least = result.last.map { $0 + 1 } ?? 0
      result.append(min(max(step, least), steps - (count - place)))
    }
    return result
  }
}
