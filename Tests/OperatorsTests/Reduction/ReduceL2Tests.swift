import GraphIR
import Operators
import Tensors
import Testing

@Suite struct ReduceL2Tests {
  @Test func normsAgreeWithLoopsInDoublePrecision() throws {
    try checkReduction("ReduceL2") { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }
  }

  @Test func integersAreNotImplemented() throws {
    #expect(throws: OperatorError.self) {
      try OperatorHarness.run("ReduceL2", [try Tensor.of([3, 4] as [Int64], 2)])
    }
  }
}
