import Glibc
public import Tensors

/// A function of one number that has parameters.
///
/// All are computed in double precision and rounded once; integers come back truncated.
public enum ParametricFunction: Hashable, Sendable {
  /// x where it is positive, else alpha (eˣ − 1).
  case elu(alpha: Float)
  /// max(0, x) + min(0, alpha (exp(x / alpha) − 1)).
  case celu(alpha: Float)
  /// gamma x where x is positive, else gamma (alpha eˣ − alpha).
  case selu(alpha: Float, gamma: Float)
  /// x where it is above alpha, else 0.
  case thresholdedRelu(alpha: Float)
  /// max(0, min(1, alpha x + beta)).
  case hardSigmoid(alpha: Float, beta: Float)
  /// x + bias below −lambda, x − bias above lambda, else 0.
  case shrink(lambda: Float, bias: Float)

  /// The function of one number.
  func callAsFunction(_ x: Double) -> Double {
    switch self {
    case .elu(let alpha): x > 0 ? x : Double(alpha) * expm1(x)
    case .celu(let alpha):
      x > 0 ? x : Double(alpha) * expm1(x / Double(alpha))
    case .selu(let alpha, let gamma): Double(gamma) * (x > 0 ? x : Double(alpha) * expm1(x))
    case .thresholdedRelu(let alpha): x > Double(alpha) ? x : 0
    case .hardSigmoid(let alpha, let beta): max(0, min(1, Double(alpha) * x + Double(beta)))
    case .shrink(let lambda, let bias):
      x < -Double(lambda) ? x + Double(bias) : x > Double(lambda) ? x - Double(bias) : 0
    }
  }
}

extension Elementwise {
  /// `output = function(input)`; both have one numeric type and one shape.
  public static func unary(
    _ function: ParametricFunction, _ input: Tensor, into output: Tensor
  ) throws(KernelError) {
    guard output.dataType == .float32 || output.dataType == .float64 else {
      let isHalf = output.dataType == .float16 || output.dataType == .bfloat16
      let wide = try Copying.makeTensor(isHalf ? .float32 : .float64, output.shape)
      try unary(function, Casting.cast(input, to: wide.dataType), into: wide)
      return try Casting.cast(wide, into: output)
    }
    let source = try Copying.contiguous(input)
    if output.dataType == .float32 {
      apply(function, source.pointer(as: Float.self), output.pointer(as: Float.self), output)
    } else {
      apply(function, source.pointer(as: Double.self), output.pointer(as: Double.self), output)
    }
    withExtendedLifetime(source) {}
  }

  private static func apply<Number: BinaryFloatingPoint>(
    _ function: ParametricFunction, _ x: UnsafePointer<Number>, _ y: UnsafeMutablePointer<Number>,
    _ output: Tensor
  ) {
    nonisolated(unsafe) let (x, y) = (x, y)
    Parallel.forEachPart(of: output.elementCount, operationsPerItem: 8, grain: 64) { range in
      for i in range { y[i] = Number(function(Double(x[i]))) }
    }
  }
}
