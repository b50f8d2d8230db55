import Kernels
import Tensors
import Testing

struct ConvolutionTests {
  struct Case: CustomTestStringConvertible {
    var input: [Int]
    var weight: [Int]
    var strides: [Int]
    var dilations: [Int]
    var before: [Int]
    var after: [Int]
    var groups = 1

    var testDescription: String { "\(input) * \(weight), strides \(strides), groups \(groups)" }

    var geometry: ConvolutionGeometry {
      ConvolutionGeometry(
        strides: strides, dilations: dilations, padsBefore: before, padsAfter: after,
        groups: groups)
    }

    var output: [Int] {
      [input[0], weight[0]]
        + strides.indices.map { axis in
          let extent = (weight[axis + 2] - 1) * dilations[axis] + 1
          return (input[axis + 2] + before[axis] + after[axis] - extent) / strides[axis] + 1
        }
    }
  }

  static let cases = [
    Case(
      input: [2, 3, 9], weight: [4, 3, 3], strides: [1], dilations: [1], before: [0], after: [0]),
    Case(
      input: [1, 4, 11], weight: [6, 2, 3], strides: [2], dilations: [2], before: [2], after: [1],
      groups: 2),
    Case(
      input: [2, 3, 6, 7], weight: [5, 3, 1, 1], strides: [1, 1], dilations: [1, 1],
      before: [0, 0], after: [0, 0]),
    Case(
      input: [2, 3, 8, 8], weight: [5, 3, 2, 2], strides: [2, 2], dilations: [1, 1],
      before: [0, 0], after: [0, 0]),
    Case(
      input: [1, 3, 7, 9], weight: [4, 3, 3, 3], strides: [1, 1], dilations: [1, 1],
      before: [1, 1], after: [1, 1]),
    Case(
      input: [1, 3, 9, 8], weight: [4, 3, 3, 2], strides: [2, 3], dilations: [2, 1],
      before: [0, 2], after: [3, 1]),
    Case(
      input: [2, 4, 6, 6], weight: [4, 1, 3, 3], strides: [1, 1], dilations: [1, 1],
      before: [1, 1], after: [1, 1], groups: 4),
    Case(
      input: [2, 3, 3, 6, 8], weight: [5, 3, 1, 2, 2], strides: [1, 2, 2], dilations: [1, 1, 1],
      before: [0, 0, 0], after: [0, 0, 0]),
    Case(
      input: [1, 2, 5, 6, 7], weight: [3, 2, 3, 3, 3], strides: [1, 2, 1], dilations: [1, 1, 2],
      before: [1, 1, 2], after: [1, 0, 2]),
    Case(
      input: [1, 4, 24, 24], weight: [16, 4, 3, 3], strides: [1, 1], dilations: [1, 1],
      before: [1, 1], after: [1, 1]),
  ]

  private func reference(
    _ test: Case, _ input: Tensor, _ weight: Tensor, _ bias: Tensor?, _ index: [Int]
  ) -> Double {
    let group = index[1] / (test.weight[0] / test.groups)
    var sum = bias.map { $0.float([index[1]]) } ?? 0
    for element in (try? Shape(Array(test.weight[1...])))?.indices ?? [] {
      let place = test.strides.indices.map { axis in
        index[axis + 2] * test.strides[axis] + element[axis + 1] * test.dilations[axis]
          - test.before[axis]
      }
      guard zip(place, test.input[2...]).allSatisfy({ $0 >= 0 && $0 < $1 }) else { continue }
      sum +=
        input.float([index[0], group * test.weight[1] + element[0]] + place)
        * weight.float([index[1]] + element)
    }
    return sum
  }

  @Test(arguments: cases)
  func everyGeometryAndLayoutGivesTheDirectSum(test: Case) throws {
    var numbers = Numbers(seed: 14)
    for layout in Layout.allCases {
      let input = try layout.tensor(test.input, &numbers)
      let weight = try layout.tensor(test.weight, &numbers)
      for bias in [nil, try layout.tensor([test.weight[0]], &numbers)] {
        let output = try Tensor.output(.float32, test.output)
        try Convolution.convolve(
          input, weight: weight, bias: bias, geometry: test.geometry, into: output)
        expect(output, near: 1e-5, "\(layout)") { reference(test, input, weight, bias, $0) }
      }
    }
  }

  @Test func aThreadedConvolutionIsRightAndTheSameTwice() throws {
    let test = try #require(Self.cases.last)
    var numbers = Numbers(seed: 15)
    let input = try numbers.tensor(test.input)
    let weight = try numbers.tensor(test.weight)
    let outputs = try withThreads(2) {
      try (0..<2).map { _ in
        let output = try Tensor.output(.float32, test.output)
        try Convolution.convolve(
          input, weight: weight, bias: nil, geometry: test.geometry, into: output)
        return output
      }
    }
    expect(outputs[0], near: 1e-5) { reference(test, input, weight, nil, $0) }
    expectEqualBits(outputs[0], outputs[1])
  }
}
