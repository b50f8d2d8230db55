import CVectorKernels
import Glibc
import Tensors

/// A function of one number with a result of the same type.
///
/// Bounds for `float32`, in units in the last place of the exact result: `exponential` 1,
/// `hyperbolicTangent` and `errorFunction` 1.5, `sigmoid` 2.5. Both forms of GELU follow their
/// formula to 3·10⁻⁷ of max(1, |result|). `squareRoot`, `reciprocal` and the roundings are exact;
/// the others are those of the C library, which reduces large arguments of sine and cosine exactly.
public enum UnaryOperation: String, Hashable, Sendable, CaseIterable {
  /// For all numbers; the least signed integer is its own negative and magnitude.
  case negate, absolute, sign
  /// For floating point only from here on.
  case squareRoot, reciprocal, exponential, logarithm, sine, cosine
  case hyperbolicTangent, sigmoid, errorFunction
  /// max(x, 0), also for integers; NaN stays NaN.
  case relu
  /// x · sigmoid(x)
  case silu
  /// ½ x (1 + erf(x / √2))
  case gelu
  /// ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))), https://arxiv.org/abs/1606.08415
  case geluTanh
  /// log(1 + eˣ)
  case softplus
  case tangent, arcSine, arcCosine, arcTangent
  case hyperbolicSine, hyperbolicCosine
  case areaSine, areaCosine, areaTangent
  /// x / (1 + |x|)
  case softsign
  /// x tanh(softplus(x)), https://arxiv.org/abs/1908.08681
  case mish
  /// x max(0, min(1, x / 6 + ½)), https://arxiv.org/abs/1905.02244
  case hardSwish
  case floor, ceiling
  /// To the nearest integer, ties to even.
  case round
}

/// A unary function applied along a dense row.
struct UnaryRow<Operand, Result> {
  let apply: (UnsafePointer<Operand>, UnsafeMutablePointer<Result>, Int) -> Void

  /// The C function behind it, if there is one.
  let vector: ditc_f32_unary_function?

  /// About how many nanoseconds one element takes.
  let cost: Int

  @inline(__always)
  init(cost: Int = 1, _ function: @escaping (Operand) -> Result) {
    self.cost = cost
    vector = nil
    apply = { x, y, count in for i in 0..<count { y[i] = function(x[i]) } }
  }
}

extension UnaryRow where Operand == Float, Result == Float {
  init(vector: @escaping ditc_f32_unary_function) {
    cost = 1
    self.vector = vector
    apply = { vector($0, $1, $2) }
  }
}

extension UnaryOperation {
  func row() -> UnaryRow<Float, Float> {
    switch self {
    case .negate: UnaryRow(vector: ditc_f32_negate)
    case .absolute: UnaryRow(vector: ditc_f32_absolute)
    case .sign: UnaryRow { $0.isNaN ? $0 : $0 > 0 ? 1 : $0 < 0 ? -1 : 0 }
    case .squareRoot: UnaryRow(vector: ditc_f32_square_root)
    case .reciprocal: UnaryRow(vector: ditc_f32_reciprocal)
    case .exponential: UnaryRow(vector: ditc_f32_exp)
    case .logarithm: UnaryRow(cost: 4) { logf($0) }
    case .sine: UnaryRow(cost: 8) { sinf($0) }
    case .cosine: UnaryRow(cost: 8) { cosf($0) }
    case .hyperbolicTangent: UnaryRow(vector: ditc_f32_tanh)
    case .sigmoid: UnaryRow(vector: ditc_f32_sigmoid)
    case .errorFunction: UnaryRow(vector: ditc_f32_erf)
    case .relu: UnaryRow(vector: ditc_f32_relu)
    case .silu: UnaryRow(vector: ditc_f32_silu)
    case .gelu: UnaryRow(vector: ditc_f32_gelu)
    case .geluTanh: UnaryRow(vector: ditc_f32_gelu_tanh)
    case .softplus: UnaryRow(cost: 16) { Swift.max($0, 0) + log1pf(expf(-Swift.abs($0))) }
    case .tangent: UnaryRow(cost: 8) { tanf($0) }
    case .arcSine: UnaryRow(cost: 8) { asinf($0) }
    case .arcCosine: UnaryRow(cost: 8) { acosf($0) }
    case .arcTangent: UnaryRow(cost: 8) { atanf($0) }
    case .hyperbolicSine: UnaryRow(cost: 8) { sinhf($0) }
    case .hyperbolicCosine: UnaryRow(cost: 8) { coshf($0) }
    case .areaSine: UnaryRow(cost: 8) { asinhf($0) }
    case .areaCosine: UnaryRow(cost: 8) { acoshf($0) }
    case .areaTangent: UnaryRow(cost: 8) { atanhf($0) }
    case .softsign: UnaryRow { $0 / (1 + Swift.abs($0)) }
    case .mish:
      UnaryRow(cost: 16) { $0 * tanhf(Swift.max($0, 0) + log1pf(expf(-Swift.abs($0)))) }
    case .hardSwish: UnaryRow { $0 * Swift.max(0, Swift.min(1, $0 / 6 + 0.5)) }
    case .floor: UnaryRow { $0.rounded(.down) }
    case .ceiling: UnaryRow { $0.rounded(.up) }
    case .round: UnaryRow { $0.rounded(.toNearestOrEven) }
    }
  }

  func row() -> UnaryRow<Double, Double> {
    switch self {
    case .negate: UnaryRow { -$0 }
    case .absolute: UnaryRow { Swift.abs($0) }
    case .sign: UnaryRow { $0.isNaN ? $0 : $0 > 0 ? 1 : $0 < 0 ? -1 : 0 }
    case .squareRoot: UnaryRow { $0.squareRoot() }
    case .reciprocal: UnaryRow { 1 / $0 }
    case .exponential: UnaryRow(cost: 8) { exp($0) }
    case .logarithm: UnaryRow(cost: 8) { log($0) }
    case .sine: UnaryRow(cost: 8) { sin($0) }
    case .cosine: UnaryRow(cost: 8) { cos($0) }
    case .hyperbolicTangent: UnaryRow(cost: 8) { tanh($0) }
    case .sigmoid: UnaryRow(cost: 8) { 1 / (1 + exp(-$0)) }
    case .errorFunction: UnaryRow(cost: 8) { erf($0) }
    case .relu: UnaryRow { $0 < 0 ? 0 : $0 }
    case .silu: UnaryRow(cost: 8) { $0 / (1 + exp(-$0)) }
    case .gelu: UnaryRow(cost: 8) { 0.5 * $0 * (1 + erf($0 * 0.5.squareRoot())) }
    case .geluTanh:
      UnaryRow(cost: 8) { x in
        0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
      }
    case .softplus: UnaryRow(cost: 16) { Swift.max($0, 0) + log1p(exp(-Swift.abs($0))) }
    case .tangent: UnaryRow(cost: 8) { tan($0) }
    case .arcSine: UnaryRow(cost: 8) { asin($0) }
    case .arcCosine: UnaryRow(cost: 8) { acos($0) }
    case .arcTangent: UnaryRow(cost: 8) { atan($0) }
    case .hyperbolicSine: UnaryRow(cost: 8) { sinh($0) }
    case .hyperbolicCosine: UnaryRow(cost: 8) { cosh($0) }
    case .areaSine: UnaryRow(cost: 8) { asinh($0) }
    case .areaCosine: UnaryRow(cost: 8) { acosh($0) }
    case .areaTangent: UnaryRow(cost: 8) { atanh($0) }
    case .softsign: UnaryRow { $0 / (1 + Swift.abs($0)) }
    case .mish:
      UnaryRow(cost: 16) { $0 * tanh(Swift.max($0, 0) + log1p(exp(-Swift.abs($0)))) }
    case .hardSwish: UnaryRow { $0 * Swift.max(0, Swift.min(1, $0 / 6 + 0.5)) }
    case .floor: UnaryRow { $0.rounded(.down) }
    case .ceiling: UnaryRow { $0.rounded(.up) }
    case .round: UnaryRow { $0.rounded(.toNearestOrEven) }
    }
  }

  func row<Number: FixedWidthInteger>() -> UnaryRow<Number, Number>? {
    switch self {
    case .negate: UnaryRow { 0 &- $0 }
    case .absolute: UnaryRow { $0 < 0 ? 0 &- $0 : $0 }
    case .sign: UnaryRow { $0.signum() }
    case .relu: UnaryRow { Swift.max($0, 0) }
    default: nil
    }
  }
}
