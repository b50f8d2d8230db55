import Foundation
import Kernels
import Tensors
import Testing

struct ReductionTests {
  private func reference(_ operation: ReductionOperation, _ values: [Double]) -> Double {
    switch operation {
    case .sum: values.reduce(0, +)
    case .mean: values.reduce(0, +) / Double(values.count)
    case .maximum: values.max() ?? -.infinity
    case .minimum: values.min() ?? .infinity
    case .product: values.reduce(1, *)
    case .sumOfSquares: values.reduce(0) { $0 + $1 * $1 }
    case .sumOfMagnitudes: values.reduce(0) { $0 + abs($1) }
    }
  }

  /// The elements that each remaining index sums up.
  private func groups(_ input: Tensor, _ axes: [Int]) -> [[Double]] {
    var result: [[Int]: [Double]] = [:]
    let kept = (0..<input.rank).filter { !axes.contains($0) }
    var order: [[Int]] = []
    for index in input.shape.indices {
      let key = kept.map { index[$0] }
      if result[key] == nil { order.append(key) }
      result[key, default: []].append(input.float(index))
    }
    return order.map { result[$0] ?? [] }
  }

  @Test(arguments: Layout.allCases, ReductionOperation.allCases)
  func everySubsetOfAxesReducesEveryLayout(layout: Layout, operation: ReductionOperation) throws {
    var numbers = Numbers(seed: 9)
    for dimensions in [[6], [3, 4], [2, 3, 4], [2, 3, 4, 5], [5, 40], [40, 5], [3, 20, 24]] {
      let input = try layout.tensor(dimensions, &numbers)
      for subset in 0..<(1 << dimensions.count) {
        let axes = dimensions.indices.filter { subset >> $0 & 1 == 1 }
        let wanted = groups(input, axes).map { reference(operation, $0) }
        let output = try Tensor.output(.float32, [wanted.count])
        try Reduction.reduce(operation, input, axes: axes, into: output)
        expect(output, near: 2e-6, "\(dimensions) over \(axes)") { wanted[$0[0]] }
      }
    }
  }

  @Test func sumsOfManyNumbersKeepFloatPrecision() throws {
    var numbers = Numbers(seed: 10)
    let input = try numbers.tensor([2, 300_000])
    let positive = try Tensor.output(.float32, [2, 300_000])
    try Elementwise.unary(.absolute, input, into: positive)
    for (axes, count) in [([1], 2), ([0, 1], 1)] {
      let output = try Tensor.output(.float32, [count])
      try Reduction.reduce(.sum, positive, axes: axes, into: output)
      let wanted = groups(positive, axes).map { $0.reduce(0, +) }
      for (x, y) in zip(output.elements(as: Float.self), wanted) {
        #expect(abs(Double(x) - y) <= Double(x.ulp))
      }
    }
  }

  @Test func nothingAndNaNHaveTheirResults() throws {
    let empty = try Tensor.output(.float32, [2, 0])
    let results: [(ReductionOperation, Float)] = [
      (.sum, 0), (.mean, .nan), (.maximum, -.infinity), (.minimum, .infinity), (.product, 1),
    ]
    for (operation, wanted) in results {
      let output = try Tensor.output(.float32, [2])
      try Reduction.reduce(operation, empty, axes: [1], into: output)
      for x in output.elements(as: Float.self) { #expect(x == wanted || x.isNaN && wanted.isNaN) }
    }
    var values = [Float](repeating: 1, count: 40)
    values[17] = .nan
    for operation in ReductionOperation.allCases {
      let output = try Tensor.output(.float32, [])
      try Reduction.reduce(operation, Tensor(values), axes: [0], into: output)
      #expect(output.elements(as: Float.self)[0].isNaN, "\(operation)")
    }
  }

  @Test func integersAndTruthValuesReduce() throws {
    let input = Tensor([Int64](arrayLiteral: 1, -2, 3, 4, 5, -7), shape: try Shape([2, 3]))
    let results: [(ReductionOperation, [Int64])] = [
      (.sum, [2, 2]), (.mean, [0, 0]), (.maximum, [3, 5]), (.minimum, [-2, -7]),
      (.product, [-6, -140]), (.sumOfSquares, [14, 90]), (.sumOfMagnitudes, [6, 16]),
    ]
    for (operation, wanted) in results {
      let output = try Tensor.output(.int64, [2])
      try Reduction.reduce(operation, input, axes: [1], into: output)
      #expect(output.elements(as: Int64.self) == wanted, "\(operation)")
    }
    let truths = Tensor([true, false, true, true], shape: try Shape([2, 2]))
    let output = try Tensor.output(.bool, [2])
    try Reduction.reduce(.minimum, truths, axes: [1], into: output)
    #expect(output.elements(as: Bool.self) == [false, true])
    #expect(throws: KernelError.self) {
      try Reduction.reduce(.sum, truths, axes: [1], into: output)
    }
  }
}
