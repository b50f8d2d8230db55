import GraphIR
import Operators
import Tensors
import Testing

@Suite struct SliceTests {
  private func shape(
    _ data: [Dimension], _ starts: ValueFact, _ ends: ValueFact, _ axes: ValueFact? = nil,
    _ steps: ValueFact? = nil
  ) throws -> [Dimension]? {
    try OperatorHarness.infer("Slice", [ValueFact(.float32, data), starts, ends, axes, steps])[0]
      .shape
  }

  @Test func extremeIntegersMeanTheEndsInBothDirections() throws {
    let x = try Tensor.counting(2, 3, 4)
    let y = try OperatorHarness.run(
      "Slice", [x, .int64(1, -1), .int64(.max, .min), .int64(1, 2), .int64(1, -2)])[0]
    expect(y, [7, 5, 11, 9, 19, 17, 23, 21], shape: [2, 2, 2])
    #expect(y.storage === x.storage)
  }

  @Test func boundsOutsideAreMovedToTheAxis() throws {
    let x = try Tensor.counting(10)
    func slice(_ start: Int64, _ end: Int64, _ step: Int64) throws -> [Int]? {
      try OperatorHarness.run(
        "Slice", [x, .int64(start), .int64(end), .int64(0), .int64(step)], symbolic: false)[0]
        .integers()
    }
    #expect(try slice(20, 2, -3) == [9, 6, 3])
    #expect(try slice(-100, 3, 2) == [0, 2])
    #expect(try slice(7, 3, 1) == [])
    #expect(try slice(-3, 100, .max) == [7])
    #expect(try slice(.max, .min, .min) == [9])
    #expect(try slice(0, 10, -1) == [])
  }

  @Test func aStridedOperandIsSlicedInPlace() throws {
    let x = try Tensor.counting(4, 3).transposed([1, 0])
    let y = try OperatorHarness.run("Slice", [x, .int64(1, 1), .int64(3, 4)])[0]
    expect(y, [4, 7, 10, 5, 8, 11], shape: [2, 3])
    #expect(y.storage === x.storage)
  }

  @Test func olderModelsWriteBoundsAsAttributes() throws {
    let attributes = [
      Attribute("starts", .ints([1])), Attribute("ends", .ints([-1])),
      Attribute("axes", .ints([1])),
    ]
    let y = try OperatorHarness.run("Slice", [try .counting(2, 4)], attributes, opset: 9)[0]
    expect(y, [1, 2, 5, 6], shape: [2, 2])
  }

  @Test func symbolicAxesAreTakenToHoldTheSlice() throws {
    #expect(try shape([s, 8], .int64(0), .int64(.max)) == [s, 8])
    #expect(try shape([s, 8], .int64(1), .int64(.max)) == [s - 1, 8])
    #expect(try shape([s, 8], .int64(-2), .int64(.max)) == [2, 8])
    #expect(try shape([1024, 8], .int64(0), .sizes(s)) == [s, 8])
    #expect(try shape([1024, 8], .sizes(s), .int64(5000)) == [1024 - s, 8])
    #expect(try shape([2 * s, 8], .int64(0), .int64(.max), .int64(0), .int64(2)) != nil)
    let odd = try shape([4, 2 * s], .int64(1), .int64(.max), .int64(1), .int64(2))
    #expect(odd?[1] == s)
    let reversed = try shape([s], .int64(-1), .int64(.min), .int64(0), .int64(-1))
    #expect(reversed == [s])
  }

  @Test func unknownBoundsLeaveOnlyTheirAxesOpen() throws {
    let result = try shape([s, 8], ValueFact(.int64, [1]), .int64(4), .int64(1))
    #expect(result?.first == s)
    #expect(result?.last?.value == nil)
  }

  @Test func elementsAreFollowed() throws {
    let fact = try OperatorHarness.infer(
      "Slice", [.sizes(1, s, t, 4), .int64(-1), .int64(0), .int64(0), .int64(-2)])[0]
    #expect(fact.elements == [4, s])
  }

  @Test func aStepOfZeroAndUnevenListsAreRefused() throws {
    let x = try Tensor.counting(4)
    expectRefusal("Slice", [x, .int64(0), .int64(1), .int64(0), .int64(0)])
    expectRefusal("Slice", [x, .int64(0), .int64(1, 2)])
    expectRefusal("Slice", [x, .int64(0), .int64(1), .int64(1)])
  }
}
