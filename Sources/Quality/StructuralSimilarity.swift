import Glibc
public import Tensors

/// The mean structural similarity (SSIM) of pictures.
///
/// Equation 13 of Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error
/// visibility to structural similarity", 2004, with a window of 11 × 11 pixels with Gaussian weights
/// of standard deviation 1.5, population variances, K₁ = 0.01 and K₂ = 0.03. The mean is over the
/// places where the whole window lies inside, then over channels, frames and samples. These are the
/// numbers of scikit-image 0.26's
/// `structural_similarity(…, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)`.
public enum StructuralSimilarity {
  /// The rows and columns of the window.
  public static let windowSize = 11

  private static let weights: [Double] = {
    let raw = (0..<windowSize).map { exp(-0.5 * pow(Double($0 - windowSize / 2) / 1.5, 2)) }
    return raw.map { $0 / raw.reduce(0, +) }
  }()

  /// Compares the planes of two tensors, (…, H, W) with H and W of at least 11.
  ///
  /// `dataRange` is what separates the smallest possible value from the greatest.
  public static func mean(
    of result: Tensor, against reference: Tensor, dataRange: Double
  ) throws(QualityError) -> Double {
    let shape = result.shape.dimensions
    guard result.shape == reference.shape, shape.count >= 2, result.elementCount > 0 else {
      throw QualityError(
        .shapeMismatch,
        "Pictures of shape \(result.shape) and \(reference.shape) cannot be compared.")
    }
    let (rows, columns) = (shape[shape.count - 2], shape[shape.count - 1])
    guard min(rows, columns) >= windowSize else {
      throw QualityError(
        .tooSmall,
        "Structural similarity needs \(windowSize) × \(windowSize) pixels, not \(rows) × \(columns)."
      )
    }
    let (results, references) = (try RealElements(result), try RealElements(reference))
    let planeCount = rows * columns
    var total = 0.0
    var a = [Double](repeating: 0, count: planeCount)
    var b = a
    for plane in 0..<result.elementCount / planeCount {
      let range = plane * planeCount..<(plane + 1) * planeCount
      a.withUnsafeMutableBufferPointer { $0.baseAddress.map { results.read(range, into: $0) } }
      b.withUnsafeMutableBufferPointer { $0.baseAddress.map { references.read(range, into: $0) } }
      total += similarity(a, b, rows: rows, columns: columns, dataRange: dataRange)
    }
    return total / Double(result.elementCount / planeCount)
  }

  private static func similarity(
    _ a: [Double], _ b: [Double], rows: Int, columns: Int, dataRange: Double
  ) -> Double {
    func smoothed(_ value: (Int) -> Double) -> [Double] {
      filtered((0..<a.count).map(value), rows: rows, columns: columns)
    }
    let (meanA, meanB) = (smoothed { a[$0] }, smoothed { b[$0] })
    let (squareA, squareB) = (smoothed { a[$0] * a[$0] }, smoothed { b[$0] * b[$0] })
    let product = smoothed { a[$0] * b[$0] }
    let c1 = pow(0.01 * dataRange, 2)
    let c2 = pow(0.03 * dataRange, 2)
    var sum = 0.0
    for place in meanA.indices {
      let (x, y) = (meanA[place], meanB[place])
      let variances = squareA[place] - x * x + squareB[place] - y * y
      let covariance = product[place] - x * y
      sum +=
        (2 * x * y + c1) * (2 * covariance + c2) / ((x * x + y * y + c1) * (variances + c2))
    }
    return sum / Double(meanA.count)
  }

  /// The weighted mean of every window that lies inside.
  private static func filtered(_ plane: [Double], rows: Int, columns: Int) -> [Double] {
    let width = columns - windowSize + 1
    let height = rows - windowSize + 1
    var across = [Double](repeating: 0, count: rows * width)
    for row in 0..<rows {
      for column in 0..<width {
        var sum = 0.0
        for (offset, weight) in weights.enumerated() {
          sum += weight * plane[row * columns + column + offset]
        }
        across[row * width + column] = sum
      }
    }
    var result = [Double](repeating: 0, count: height * width)
    for row in 0..<height {
      for (offset, weight) in weights.enumerated() {
        for column in 0..<width {
          result[row * width + column] += weight * across[(row + offset) * width + column]
        }
      }
    }
    return result
  }
}
