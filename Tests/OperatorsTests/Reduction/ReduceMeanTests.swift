import GraphIR
import Operators
import Tensors
import Testing

@Suite struct ReduceMeanTests {
  @Test func meansAgreeWithLoopsInDoublePrecision() throws {
    try checkReduction("ReduceMean") { $0.reduce(0, +) / Double($0.count) }
  }
}
