import Foundation
import Kernels
import Tensors
import Testing

struct NormalizationTests {
  private func row(_ tensor: Tensor, _ index: [Int], from axis: Int) -> [Double] {
    let trailing = try? Shape(Array(tensor.shape.dimensions[axis...]))
    return (trailing?.indices ?? []).map { tensor.float(index.prefix(axis) + $0) }
  }

  @Test(arguments: Layout.allCases)
  func softmaxAlongEveryAxisOfEveryLayout(layout: Layout) throws {
    var numbers = Numbers(seed: 11)
    for dimensions in [[5], [3, 40], [2, 3, 17], [2, 1, 4, 33], [3, 1]] {
      let input = try layout.tensor(dimensions, &numbers)
      for axis in dimensions.indices {
        let output = try Tensor.output(.float32, dimensions)
        try Normalization.softmax(input, axis: axis, into: output)
        expect(output, near: 1e-6, "\(dimensions) along \(axis)") { index in
          let weights = (0..<dimensions[axis]).map { position in
            var other = index
            other[axis] = position
            return exp(input.float(other))
          }
          return weights[index[axis]] / weights.reduce(0, +)
        }
      }
    }
  }

  @Test func softmaxIsStableAndKeepsNaN() throws {
    let rows: [[Float]] = [
      [1000, 1001, -1000], [-.infinity, 0, 0], [-.infinity, -.infinity, -.infinity],
      [.nan, 1, 2], [.infinity, 0, 0], [-1e30, -1e30, -1e38],
    ]
    let input = Tensor(rows.flatMap { $0 }, shape: try Shape([6, 3]))
    let output = try Tensor.output(.float32, [6, 3])
    try Normalization.softmax(input, axis: 1, into: output)
    let e = exp(-1.0)
    let wanted: [[Double]] = [
      [e / (1 + e), 1 / (1 + e), 0], [0, 0.5, 0.5], [.nan, .nan, .nan], [.nan, .nan, .nan],
      [.nan, .nan, .nan], [0.5, 0.5, 0],
    ]
    expect(output, near: 1e-6) { wanted[$0[0]][$0[1]] }
  }

  @Test(arguments: Layout.allCases)
  func normsOverEveryTrailingAxis(layout: Layout) throws {
    var numbers = Numbers(seed: 12)
    for dimensions in [[4, 6], [2, 3, 40], [2, 3, 4, 5], [1, 1030]] {
      let input = try layout.tensor(dimensions, &numbers)
      for axis in dimensions.indices {
        let trailing = Array(dimensions[axis...])
        let scale = try layout.tensor(trailing, &numbers)
        for bias in [nil, try numbers.tensor(trailing), try numbers.tensor([1])] {
          let output = try Tensor.output(.float32, dimensions)
          try Normalization.layerNorm(
            input, axis: axis, scale: scale, bias: bias, epsilon: 1e-5, into: output)
          expect(output, near: 3e-6, "layer norm of \(dimensions) from \(axis)") { index in
            let values = row(input, index, from: axis)
            let mean = values.reduce(0, +) / Double(values.count)
            let variance =
              values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
            let position = Array(index[axis...])
            return (input.float(index) - mean) / (variance + 1e-5).squareRoot()
              * scale.float(position) + (bias?.float(position) ?? 0)
          }
        }
        let output = try Tensor.output(.float32, dimensions)
        try Normalization.rmsNorm(input, axis: axis, scale: scale, epsilon: 1e-6, into: output)
        expect(output, near: 2e-6, "RMS norm of \(dimensions) from \(axis)") { index in
          let values = row(input, index, from: axis)
          let mean = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
          return input.float(index) / (mean + 1e-6).squareRoot()
            * scale.float(Array(index[axis...]))
        }
      }
    }
  }

  @Test func aNormKeepsPrecisionFarFromZero() throws {
    var numbers = Numbers(seed: 13)
    let values = (0..<4096).map { _ in 1000 + numbers.float() }
    let output = try Tensor.output(.float32, [1, 4096])
    try Normalization.layerNorm(
      Tensor(values, shape: try Shape([1, 4096])), axis: 1, scale: nil, bias: nil, epsilon: 0,
      into: output)
    let wide = values.map(Double.init)
    let mean = wide.reduce(0, +) / 4096
    let deviation = (wide.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4096).squareRoot()
    expect(output, near: 1e-4) { (wide[$0[1]] - mean) / deviation }
  }
}
