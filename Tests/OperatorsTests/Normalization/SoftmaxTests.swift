import Glibc
import GraphIR
import Operators
import Tensors
import Testing

@Suite struct SoftmaxTests {
  @Test func theLastAxisIsTheDefault() throws {
    let result = try OperatorHarness.run(
      "Softmax", [try Tensor.of([1, 2, 3, -1, 0, 1000] as [Float], 2, 3)])
    expectClose(result[0], [0.09003057, 0.24472847, 0.66524096, 0, 0, 1], shape: [2, 3])
  }

  @Test func everyAxisSumsToOne() throws {
    let x = try Tensor.pattern(2, 3, 4, scale: 4)
    for axis in [0, 1, 2, -2] {
      for view in [x, try x.scattered()] {
        let y = try OperatorHarness.run("Softmax", [view], [Attribute("axis", .int(axis))])[0]
        expectClose(y, softmax(x, axis: axis < 0 ? axis + 3 : axis), shape: [2, 3, 4])
      }
    }
  }

  @Test func beforeOpset13TrailingAxesAreOne() throws {
    let x = try Tensor.pattern(2, 3, 4, scale: 2)
    let rows = x.view(shape: try Shape([2, 12]), strides: [12, 1])
    for attributes in [[], [Attribute("axis", .int(1))]] {
      for view in [x, try x.scattered()] {
        let y = try OperatorHarness.run("Softmax", [view], attributes, opset: 12)[0]
        expectClose(y, softmax(rows, axis: 1), shape: [2, 3, 4])
      }
    }
    let last = try OperatorHarness.run("Softmax", [x], [Attribute("axis", .int(2))], opset: 11)[0]
    expectClose(last, softmax(x, axis: 2))
    let all = try OperatorHarness.run("Softmax", [x], [Attribute("axis", .int(0))], opset: 11)[0]
    expectClose(all, softmax(x.view(shape: .vector(24), strides: [1]), axis: 0))
    let none = try OperatorHarness.run("Softmax", [x], [Attribute("axis", .int(3))], opset: 11)[0]
    #expect(none.floats == [Float](repeating: 1, count: 24))
  }

  @Test func aRowOfMinusInfinityIsNaN() throws {
    let x = try Tensor.of([-.infinity, -.infinity, 0, -.infinity] as [Float], 2, 2)
    let y = try OperatorHarness.run("Softmax", [x])[0]
    expectClose(y, [.nan, .nan, 1, 0])
  }

  @Test func typingAndRefusals() throws {
    let size = Dimension(symbol: "s")
    let fact = try OperatorHarness.infer("Softmax", [ValueFact(.float32, [size, 2])])
    #expect(fact[0].shape == [size, 2])
    let outside = OperatorHarness.refusal(
      "Softmax", [ValueFact(.float32, [size, 2])], [Attribute("axis", .int(2))])
    #expect(outside?.code == "bad-operands")
    #expect(OperatorHarness.refusal("Softmax", [ValueFact(.int64, [2])])?.code == "bad-operands")
    try expectStrictness("Softmax", [ValueFact(.float32, [2])])
  }

  private func softmax(_ x: Tensor, axis: Int) -> [Float] {
    let (elements, stride) = (x.floats, x.shape.rowMajorStrides[axis])
    return elements.indices.map { position in
      let index = position / stride % x.shape[axis]
      let first = position - index * stride
      let row = (0..<x.shape[axis]).map { Double(elements[first + $0 * stride]) }
      let largest = row.max() ?? 0
      let sum = row.reduce(0) { $0 + exp($1 - largest) }
      return Float(exp(row[index] - largest) / sum)
    }
  }
}
