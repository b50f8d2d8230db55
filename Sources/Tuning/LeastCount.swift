/// Finds the least number that keeps a promise, where more is kept better.
public enum LeastCount {
  /// Tries numbers from a guess on: by doubling distances, then by halving what is left.
  ///
  /// - Parameters:
  ///   - range: the numbers
  ///   - guess: the first
  ///   - keeps: whether a number keeps the promise; nil ends the search
  /// - Returns: the least that was seen to keep it; nil when none did
  public static func find(
    in range: ClosedRange<Int>, from guess: Int, keeps: (Int) throws -> Bool?
  ) rethrows -> Int? {
    var (low, high) = (range.lowerBound - 1, range.upperBound + 1)
    var next = min(max(guess, range.lowerBound), range.upperBound)
    var distance = 1
    while low + 1 < high {
      guard let isKept = try keeps(next) else { break }
      if isKept { high = next } else { low = next }
      let isBracketed = low >= range.lowerBound && high <= range.upperBound
      if isBracketed {
        next = low + (high - low) / 2
      } else if isKept {
        next = max(next - distance, range.lowerBound)
      } else {
        next = min(next + distance, range.upperBound)
      }
      distance *= 2
    }
    return high <= range.upperBound ? high : nil
  }
}
