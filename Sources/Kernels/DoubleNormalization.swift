import Glibc
import Tensors

/// Softmax and the norms on `float64`.
enum DoubleNormalization {
  /// As `Normalization.softmax`.
  static func softmax(
    _ input: Tensor, axis: Int, into output: Tensor
  ) throws(KernelError) {
    let source = try Copying.contiguous(input)
    defer { withExtendedLifetime(source) {} }
    let inner = input.shape.dimensions[(axis + 1)...].reduce(1, *)
    let length = input.shape[axis]
    let (x, y) = (source.pointer(as: Double.self), output.pointer(as: Double.self))
    for row in 0..<input.elementCount / Swift.max(1, length) {
      let start = row / inner * length * inner + row % inner
      var largest = -Double.infinity
      for i in 0..<length { largest = fmax(largest, x[start + i * inner]) }
      var total = 0.0
      for i in 0..<length {
        let term = exp(x[start + i * inner] - largest)
        y[start + i * inner] = term
        total += term
      }
      for i in 0..<length { y[start + i * inner] /= total }
    }
  }

  /// As `Normalization.layerNorm`, or `Normalization.rmsNorm` when not centred.
  static func normalize(
    _ input: Tensor, axis: Int, scale: Tensor?, bias: Tensor?, epsilon: Float, isCentered: Bool,
    into output: Tensor
  ) throws(KernelError) {
    let source = try Copying.contiguous(input)
    defer { withExtendedLifetime(source) {} }
    let length = input.shape.dimensions[axis...].reduce(1, *)
    let (x, y) = (source.pointer(as: Double.self), output.pointer(as: Double.self))
    for row in 0..<(length == 0 ? 0 : input.elementCount / length) {
      let (from, to) = (x + row * length, y + row * length)
      var mean = 0.0
      if isCentered {
        for i in 0..<length { mean += from[i] }
        mean /= Double(length)
      }
      var variance = 0.0
      for i in 0..<length { variance += (from[i] - mean) * (from[i] - mean) }
      let factor = 1 / (variance / Double(length) + Double(epsilon)).squareRoot()
      for i in 0..<length { to[i] = (from[i] - mean) * factor }
    }
    if let scale {
      try Elementwise.binary(.multiply, output, Casting.cast(scale, to: .float64), into: output)
    }
    if let bias {
      try Elementwise.binary(.add, output, Casting.cast(bias, to: .float64), into: output)
    }
  }
}
