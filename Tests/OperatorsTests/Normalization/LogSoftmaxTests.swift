import GraphIR
import Operators
import Tensors
import Testing

@Suite struct LogSoftmaxTests {
  @Test func logarithmsOfWeightsStayExactWhereWeightsVanish() throws {
    let x = try Tensor.of([1, 2, 3, -1, 0, 1000] as [Float], 2, 3)
    for view in [x, try x.scattered()] {
      let y = try OperatorHarness.run("LogSoftmax", [view])[0]
      expectClose(y, [-2.407606, -1.407606, -0.40760597, -1001, -1000, 0], shape: [2, 3])
    }
  }

  @Test func anotherAxis() throws {
    let x = try Tensor.of([0, 0, 0, 0] as [Float], 2, 2)
    let y = try OperatorHarness.run("LogSoftmax", [x], [Attribute("axis", .int(0))])[0]
    expectClose(y, [Float](repeating: -0.6931472, count: 4), shape: [2, 2])
  }

  @Test func beforeOpset13TrailingAxesAreOne() throws {
    let x = try Tensor.of([Float](repeating: 3, count: 8), 2, 2, 2)
    let y = try OperatorHarness.run("LogSoftmax", [x], opset: 12)[0]
    expectClose(y, [Float](repeating: -1.3862944, count: 8), shape: [2, 2, 2])
  }

  @Test func whatIsNotKnownIsRefused() throws {
    try expectStrictness("LogSoftmax", [ValueFact(.float32, [2])])
  }
}
