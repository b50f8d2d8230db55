import Tensors
import Testing

@Suite struct TensorViewsTests {
  /// 0, 1, 2 … in row-major order.
  private func counting(_ dimensions: Int...) throws -> Tensor {
    let shape = try Shape(dimensions)
    return Tensor((0..<Int32(shape.elementCount)).map { $0 }, shape: shape)
  }

  private func numbers(_ tensor: Tensor) -> [Int32] { tensor.elements() }

  @Test func reshapingRowMajorElementsIsAView() throws {
    let x = try counting(2, 3, 4)
    let y = try #require(x.reshaped(to: Shape([6, 1, 4])))
    #expect(y.storage === x.storage)
    #expect(y.strides.first == 4)
    #expect(numbers(y) == numbers(x))
  }

  @Test func anAxisOfATransposedTensorSplitsWithoutACopy() throws {
    let x = try counting(2, 12).transposed([1, 0])
    let y = try #require(x.reshaped(to: Shape([3, 4, 2])))
    #expect(y.storage === x.storage)
    #expect(numbers(y) == numbers(x))
  }

  @Test func mergingAxesThatAreNotNeighboursInMemoryNeedsACopy() throws {
    let x = try counting(2, 3, 4).transposed([1, 0, 2])
    #expect(try x.reshaped(to: Shape([6, 4])) == nil)
    #expect(try x.reshaped(to: Shape([3, 8])) == nil)
    #expect(try x.reshaped(to: Shape([3, 1, 2, 2, 2])) != nil)
  }

  @Test func axesOfSizeOneComeAndGoInAnyView() throws {
    let x = try counting(2, 3, 4).transposed([2, 0, 1])
    let wide = try #require(x.reshaped(to: Shape([1, 4, 2, 1, 3, 1])))
    #expect(numbers(wide) == numbers(x))
    let back = try #require(wide.reshaped(to: Shape([4, 2, 3])))
    #expect(back.strides == x.strides)
  }

  @Test func aRepeatedElementReshapesWithoutBecomingMany() throws {
    let x = try #require(Tensor(scalar: Int32(7)).broadcast(to: Shape([4, 6])))
    let y = try #require(x.reshaped(to: Shape([3, 8])))
    #expect(y.strides == [0, 0])
    #expect(numbers(y) == [Int32](repeating: 7, count: 24))
  }

  @Test func emptyTensorsReshapeFreely() throws {
    let x = try counting(2, 0, 3).transposed([2, 1, 0])
    #expect(try x.reshaped(to: Shape([0, 5]))?.shape.dimensions == [0, 5])
  }

  @Test func transposingMovesAxes() throws {
    let y = try counting(2, 3).transposed([1, 0])
    #expect(y.shape.dimensions == [3, 2])
    #expect(numbers(y) == [0, 3, 1, 4, 2, 5])
  }

  @Test func slicingTakesEveryStepThIndexForwardsAndBackwards() throws {
    let x = try counting(2, 5)
    #expect(numbers(x.sliced(axis: 1, first: 1, count: 2, step: 2)) == [1, 3, 6, 8])
    #expect(numbers(x.sliced(axis: 1, first: 4, count: 3, step: -2)) == [4, 2, 0, 9, 7, 5])
    #expect(numbers(x.sliced(axis: 0, first: 1, count: 1, step: .min)) == [5, 6, 7, 8, 9])
    #expect(x.sliced(axis: 1, first: 5, count: 0).shape.dimensions == [2, 0])
  }

  @Test func broadcastingRepeatsWithStrideZero() throws {
    let x = try counting(3, 1)
    let y = try #require(x.broadcast(to: Shape([2, 3, 2])))
    #expect(y.strides == [0, 1, 0])
    #expect(numbers(y) == [0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2])
    #expect(try x.broadcast(to: Shape([4, 2])) == nil)
    #expect(try x.broadcast(to: Shape([3])) == nil)
  }
}
