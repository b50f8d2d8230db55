import COpenBLAS

/// The eigenvalues and eigenvectors of a real symmetric matrix, by LAPACK's `dsyevd`.
public struct SymmetricEigenproblem: Sendable {
  /// The eigenvalues, ascending.
  public let values: [Double]

  /// The eigenvectors, each of length 1, one a row in the order of `values`.
  public let vectors: [[Double]]

  /// Solves for a matrix of `order` rows, row-major; its upper half is ignored.
  ///
  /// - Throws: `KernelError` for a size that LAPACK cannot address, or a matrix that holds NaN or
  ///   infinities or on which the iteration does not converge
  public init(_ matrix: [Double], order: Int) throws(KernelError) {
    precondition(matrix.count == order * order, "the matrix is square")
    guard order > 0 else {
      (values, vectors) = ([], [])
      return
    }
    guard let n = blasint(exactly: order), order <= 1 << 15 else {
      throw KernelError(.tooLarge, "a matrix of order \(order) is too large to diagonalise")
    }
    guard matrix.allSatisfy(\.isFinite) else {
      throw KernelError(.notConvergent, "a matrix with NaN or infinities has no eigenvalues")
    }
    var columns = matrix
    var eigenvalues = [Double](repeating: 0, count: order)
    var work: [Double] = [0]
    var integers: [blasint] = [0]
    var info: blasint = 0
    func solve(_ workCount: blasint, _ integerCount: blasint) {
      var (n, workCount, integerCount) = (n, workCount, integerCount)
      var leading = n
      // LAPACK stores columns; the upper half of the transpose is our lower half.
      dsyevd_(
        "V", "U", &n, &columns, &leading, &eigenvalues, &work, &workCount, &integers,
        &integerCount, &info, 1, 1)
    }
    solve(-1, -1)
    guard info == 0, let workCount = blasint(exactly: work[0]) else {
      throw KernelError(.tooLarge, "a matrix of order \(order) is too large to diagonalise")
    }
    let integerCount = integers[0]
    work = [Double](repeating: 0, count: Int(workCount))
    integers = [blasint](repeating: 0, count: Int(integerCount))
    solve(workCount, integerCount)
    guard info == 0 else {
      throw KernelError(.notConvergent, "the eigenvalues of a matrix did not converge")
    }
    values = eigenvalues
    vectors = (0..<order).map { Array(columns[$0 * order..<($0 + 1) * order]) }
  }
}
