import GraphIR
import Operators
import Tensors
import Testing

@Suite struct RangeOperatorTests {
  private func range<Number: TensorElement>(
    _ start: Number, _ limit: Number, _ step: Number
  ) throws -> Tensor {
    try OperatorHarness.run("Range", [start, limit, step].map { Tensor(scalar: $0) })[0]
  }

  @Test func theLimitIsLeftOut() throws {
    #expect(try range(Int64(0), 4, 1).integers() == [0, 1, 2, 3])
    #expect(try range(Int64(10), 4, -4).integers() == [10, 6])
    #expect(try range(Int32(3), 3, 1).integers() == [])
    #expect(try range(Int16(3), 9, -1).integers() == [])
    expectClose(try range(Float(1), 2.05, 0.3), [1, 1.3, 1.6, 1.9])
    #expect(try range(Double(0), 1, 0.25).elements() == [0, 0.25, 0.5, 0.75])
  }

  @Test func theCountAndSmallContentsAreKnown() throws {
    func infer(_ numbers: Dimension...) throws -> ValueFact {
      try OperatorHarness.infer("Range", numbers.map { ValueFact(.int64, [], elements: [$0]) })[0]
    }
    #expect(try infer(0, s, 1).shape == [s])
    #expect(try infer(s, 3 * s, 2).shape == [s])
    #expect(try infer(s, s + 3, 1).elements == [s, s + 1, s + 2])
    #expect(try infer(5, 0, -2).integers == [5, 3, 1])
    #expect(try infer(5, 0, 2).shape == [0])
  }

  @Test func endlessRangesAreRefused() throws {
    expectRefusal("Range", [0, 1, 0].map { Tensor(scalar: Int64($0)) })
    expectRefusal("Range", [0, 1, 0].map { Tensor(scalar: Float($0)) })
    expectRefusal("Range", [0, Float.nan, 1].map { Tensor(scalar: $0) })
    expectRefusal("Range", [Tensor(scalar: Int64(0)), Tensor(scalar: Int32(1)), .int64(1)])
  }

  @Test func theCountOfKnownFloatsIsKnown() throws {
    let operands = [Float(0), 2.5, 1].map { ValueFact(constant: Tensor(scalar: $0)) }
    #expect(try OperatorHarness.infer("Range", operands)[0].shape == [3])
    let endless = [Float(0), 1, 0].map { ValueFact(constant: Tensor(scalar: $0)) }
    #expect(try OperatorHarness.infer("Range", endless)[0].shape?.first?.value == nil)
  }
}
