import Kernels
import Testing

@Suite struct SymmetricEigenproblemTests {
  /// The second difference of 6 places; its eigenvalues are 2 − 2 cos(kπ / 7).
  static let order = 6
  static let matrix = (0..<order * order).map { place -> Double in
    let distance = abs(place / order - place % order)
    return distance == 0 ? 2 : distance == 1 ? -1 : 0
  }

  @Test func eigenvaluesAscendAndVectorsSatisfyTheEquation() throws {
    let solution = try SymmetricEigenproblem(Self.matrix, order: Self.order)
    let known = [0.198062264, 0.753020396, 1.554958132, 2.445041868, 3.246979604, 3.801937736]
    for (value, expected) in zip(solution.values, known) { #expect(abs(value - expected) < 1e-9) }
    for (value, vector) in zip(solution.values, solution.vectors) {
      #expect(abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-12)
      for row in 0..<Self.order {
        let product = (0..<Self.order).reduce(0) {
          $0 + Self.matrix[row * Self.order + $1] * vector[$1]
        }
        #expect(abs(product - value * vector[row]) < 1e-12)
      }
    }
  }

  @Test func onlyTheLowerHalfIsRead() throws {
    let half = Self.matrix.enumerated().map { place, value in
      place % Self.order > place / Self.order ? 77 : value
    }
    let solution = try SymmetricEigenproblem(half, order: Self.order)
    #expect(solution.values == (try SymmetricEigenproblem(Self.matrix, order: Self.order)).values)
  }

  @Test func whatHasNoEigenvaluesIsRefused() throws {
    #expect(throws: KernelError.self) { try SymmetricEigenproblem([.nan], order: 1) }
    #expect(try SymmetricEigenproblem([], order: 0).values.isEmpty)
  }
}
