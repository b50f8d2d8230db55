import Glibc
public import Tensors

/// How far a result lies from a reference, element by element.
///
/// Everything is summed in `Double`, in chunks in a fixed order: the same tensors always give the
/// same figures. A NaN makes the averages NaN.
public struct TensorDifference: Hashable, Sendable {
  /// True when no element differs; NaN equals NaN here.
  public private(set) var isIdentical = true

  /// The greatest |result − reference|.
  ///
  /// 0 where both are NaN or the same infinity, infinite where only one is NaN.
  public private(set) var maximumAbsoluteDifference = 0.0

  /// Greatest minus smallest element of the reference.
  public let referenceRange: Double

  /// The mean of (result − reference)²; 0 for tensors without elements.
  public let meanSquaredError: Double

  /// mean |result − reference| / mean |reference|; 0 when identical.
  ///
  /// This is TeaCache's relative L1 distance (https://arxiv.org/abs/2411.19108, eq. 4).
  public let relativeL1: Double

  /// ‖result − reference‖ / ‖reference‖ in the Euclidean norm; 0 when identical.
  public let relativeL2: Double

  /// The cosine of the angle between both, seen as vectors; 1 when identical.
  public let cosineSimilarity: Double

  /// Sums over pairs of elements.
  private struct Sums {
    var absoluteError = 0.0
    var squaredError = 0.0
    var magnitude = 0.0
    var dotProduct = 0.0
    var resultSquares = 0.0
    var referenceSquares = 0.0

    static func += (total: inout Sums, part: Sums) {
      total.absoluteError += part.absoluteError
      total.squaredError += part.squaredError
      total.magnitude += part.magnitude
      total.dotProduct += part.dotProduct
      total.resultSquares += part.resultSquares
      total.referenceSquares += part.referenceSquares
    }
  }

  /// Compares two tensors of one shape; their element types may differ.
  public init(of result: Tensor, from reference: Tensor) throws(QualityError) {
    guard result.shape == reference.shape else {
      throw QualityError(
        .shapeMismatch,
        "The result has the shape \(result.shape), the reference \(reference.shape).")
    }
    let results = try RealElements(result)
    let references = try RealElements(reference)
    var total = Sums()
    var range = ValueRange()
    var start = 0
    var isSame = true
    var greatest = 0.0
    withUnsafeTemporaryAllocation(of: Double.self, capacity: RealElements.chunkCount) { buffer in
      guard let other = buffer.baseAddress else { return }
      results.forEachChunk { chunk in
        references.read(start..<(start + chunk.count), into: other)
        start += chunk.count
        var sums = Sums()
        for index in chunk.indices {
          let (a, b) = (chunk[index], other[index])
          let difference = a - b
          sums.absoluteError += abs(difference)
          sums.squaredError += difference * difference
          sums.magnitude += abs(b)
          sums.dotProduct += a * b
          sums.resultSquares += a * a
          sums.referenceSquares += b * b
          range.include(b)
          guard a != b, !(a.isNaN && b.isNaN) else { continue }
          isSame = false
          greatest = max(greatest, difference.isNaN ? .infinity : abs(difference))
        }
        total += sums
      }
    }
    let count = Double(max(results.count, 1))
    isIdentical = isSame
    maximumAbsoluteDifference = greatest
    referenceRange = range.width
    meanSquaredError = total.squaredError / count
    relativeL1 = isSame ? 0 : total.absoluteError / total.magnitude
    relativeL2 =
      isSame ? 0 : (total.squaredError / total.referenceSquares).squareRoot()
    let norms = total.resultSquares.squareRoot() * total.referenceSquares.squareRoot()
    cosineSimilarity = isSame ? 1 : total.dotProduct / norms
  }

  /// Compares what two tensors hold at each index of their first axis, as steps of a trajectory.
  public static func alongFirstAxis(
    of result: Tensor, from reference: Tensor
  ) throws(QualityError) -> [TensorDifference] {
    guard result.shape == reference.shape, result.rank > 0 else {
      throw QualityError(
        .shapeMismatch,
        "The result has the shape \(result.shape), the reference \(reference.shape).")
    }
    var differences: [TensorDifference] = []
    for index in 0..<result.shape[0] {
      differences.append(
        try TensorDifference(
          of: result.sliced(axis: 0, first: index, count: 1),
          from: reference.sliced(axis: 0, first: index, count: 1)))
    }
    return differences
  }

  /// The peak signal-to-noise ratio 10·log₁₀(range² / mean squared error), in dB.
  ///
  /// Nil when both are identical. `dataRange` is what separates the smallest possible value from
  /// the greatest: 1 for pixels in [0, 1], `referenceRange` for latents.
  public func psnr(dataRange: Double) -> Double? {
    isIdentical ? nil : 10 * log10(dataRange * dataRange / meanSquaredError)
  }
}
