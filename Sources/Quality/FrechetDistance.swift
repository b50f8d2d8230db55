import Kernels
import Tensors

/// Mean and covariance of feature vectors.
public struct FeatureStatistics: Sendable {
  /// The number of vectors.
  public let count: Int
  /// The mean of each feature.
  public let mean: [Double]
  /// The covariance, row-major, divided by `count − 1` as `numpy.cov` does.
  public let covariance: [Double]

  /// Statistics of at least two vectors of one length.
  public init(_ vectors: [[Double]]) throws(QualityError) {
    guard vectors.count >= 2, let width = vectors.first?.count, width > 0,
      vectors.allSatisfy({ $0.count == width })
    else {
      throw QualityError(
        .shapeMismatch, "A covariance needs two feature vectors of one length or more.",
        hint: "Compare more samples.")
    }
    let count = vectors.count
    var mean = [Double](repeating: 0, count: width)
    for vector in vectors {
      for (index, value) in vector.enumerated() { mean[index] += value }
    }
    mean = mean.map { $0 / Double(count) }
    let centred = vectors.flatMap { zip($0, mean).map { $0 - $1 } }
    let matrix = SquareAlgebra(order: width)
    covariance = try matrix.product(centred, centred, inner: count, transposingFirst: true)
      .map { $0 / Double(count - 1) }
    self.count = count
    self.mean = mean
  }
}

/// The Fréchet distance of two Gaussians (Dowson and Landau, 1982): FID on features of pictures
/// (Heusel et al., 2017), FVD on features of videos.
public enum FrechetDistance {
  /// |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁Σ₂)^½).
  ///
  /// The trace of the root is the sum of the roots of the eigenvalues of Σ₁^½ Σ₂ Σ₁^½, which is
  /// symmetric, so that no complex numbers arise from rounding; negative eigenvalues count as 0.
  public static func between(
    _ a: FeatureStatistics, _ b: FeatureStatistics
  ) throws(QualityError) -> Double {
    let order = a.mean.count
    guard b.mean.count == order else {
      throw QualityError(
        .shapeMismatch, "Features of \(order) and \(b.mean.count) numbers cannot be compared.")
    }
    let algebra = SquareAlgebra(order: order)
    let root = try algebra.root(a.covariance)
    let inner = try algebra.product(
      try algebra.product(root, b.covariance, inner: order), root, inner: order)
    let rootTrace = try algebra.eigenproblem(inner).values
      .reduce(0) { $0 + max($1, 0).squareRoot() }
    var result = -2 * rootTrace
    for index in 0..<order {
      let difference = a.mean[index] - b.mean[index]
      result += difference * difference
      result += a.covariance[index * order + index] + b.covariance[index * order + index]
    }
    return max(result, 0)
  }
}

/// Products and roots of row-major matrices of one order.
private struct SquareAlgebra {
  let order: Int

  /// An order × order product over `inner` terms.
  func product(
    _ a: [Double], _ b: [Double], inner: Int, transposingFirst: Bool = false
  ) throws(QualityError) -> [Double] {
    do {
      let left = Tensor(a, shape: try Shape(transposingFirst ? [inner, order] : [order, inner]))
      let right = Tensor(b, shape: try Shape([inner, order]))
      let output = try Tensor(uninitialized: .float64, try Shape([order, order]))
      try MatrixMultiplication.gemm(left, right, transposeA: transposingFirst, into: output)
      return output.elements(as: Double.self)
    } catch {
      throw QualityError(.overLimit, "Features of \(order) numbers are too many: \(error).")
    }
  }

  func eigenproblem(_ matrix: [Double]) throws(QualityError) -> SymmetricEigenproblem {
    do {
      return try SymmetricEigenproblem(matrix, order: order)
    } catch {
      throw QualityError(.notFinite, "The features have no Fréchet distance: \(error).")
    }
  }

  /// The symmetric root of a symmetric positive matrix.
  func root(_ matrix: [Double]) throws(QualityError) -> [Double] {
    let solution = try eigenproblem(matrix)
    let vectors = solution.vectors.flatMap { $0 }
    let scaled = zip(solution.values, solution.vectors).flatMap { value, vector in
      vector.map { $0 * max(value, 0).squareRoot() }
    }
    return try product(vectors, scaled, inner: order, transposingFirst: true)
  }
}
