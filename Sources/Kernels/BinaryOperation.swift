import CVectorKernels
import Glibc
import Tensors

/// A function of two numbers with a result of the same type.
public enum BinaryOperation: String, Hashable, Sendable, CaseIterable {
  case add
  case subtract
  case multiply
  /// Integers truncate towards zero; dividing one by zero is `KernelError.Code.divisionByZero`.
  case divide
  /// The first raised to the second; a negative integer exponent truncates as a quotient would.
  case power
  /// The remainder with the sign of the divisor (ONNX `Mod` with `fmod` 0).
  case modulo
  /// The remainder with the sign of the dividend (ONNX `Mod` with `fmod` 1, C's `fmod`).
  case remainder
  /// NaN on either side gives NaN.
  case minimum
  /// NaN on either side gives NaN.
  case maximum
}

/// A comparison of two numbers.
public enum Comparison: String, Hashable, Sendable, CaseIterable {
  case equal
  case less
  case lessOrEqual
  case greater
  case greaterOrEqual
}

/// A function of two truth values.
public enum LogicalOperation: String, Hashable, Sendable, CaseIterable {
  case and
  case or
  case xor
}

/// A binary function applied along a row; strides of inputs are 0 or 1.
struct BinaryRow<Operand, Result> {
  typealias Input = UnsafePointer<Operand>
  typealias Output = UnsafeMutablePointer<Result>

  let apply: (_ a: Input, Int, _ b: Input, Int, _ output: Output, _ count: Int) -> Void

  /// The C function behind it, if there is one.
  let vector: ditc_f32_binary_function?

  @inline(__always)
  init(_ function: @escaping (Operand, Operand) -> Result) {
    vector = nil
    apply = { a, aStride, b, bStride, output, count in
      if aStride == 1, bStride == 1 {
        for i in 0..<count { output[i] = function(a[i], b[i]) }
      } else if aStride == 1 {
        let y = b.pointee
        for i in 0..<count { output[i] = function(a[i], y) }
      } else {
        let x = a.pointee
        for i in 0..<count { output[i] = function(x, b[i * bStride]) }
      }
    }
  }
}

extension BinaryRow where Operand == Float, Result == Float {
  init(vector: @escaping ditc_f32_binary_function) {
    self.vector = vector
    apply = { vector($0, $1, $2, $3, $4, $5) }
  }
}

extension BinaryOperation {
  func row() -> BinaryRow<Float, Float> {
    switch self {
    case .add: BinaryRow(vector: ditc_f32_add)
    case .subtract: BinaryRow(vector: ditc_f32_subtract)
    case .multiply: BinaryRow(vector: ditc_f32_multiply)
    case .divide: BinaryRow(vector: ditc_f32_divide)
    case .power: BinaryRow(vector: ditc_f32_power)
    case .minimum: BinaryRow(vector: ditc_f32_minimum)
    case .maximum: BinaryRow(vector: ditc_f32_maximum)
    case .modulo: BinaryRow { floorModulo($0, $1) }
    case .remainder: BinaryRow { fmodf($0, $1) }
    }
  }

  func row() -> BinaryRow<Double, Double> {
    switch self {
    case .add: BinaryRow { $0 + $1 }
    case .subtract: BinaryRow { $0 - $1 }
    case .multiply: BinaryRow { $0 * $1 }
    case .divide: BinaryRow { $0 / $1 }
    case .power: BinaryRow { pow($0, $1) }
    case .minimum: BinaryRow { $0.isNaN || $0 < $1 ? $0 : $1 }
    case .maximum: BinaryRow { $0.isNaN || $0 > $1 ? $0 : $1 }
    case .modulo: BinaryRow { floorModulo($0, $1) }
    case .remainder: BinaryRow { fmod($0, $1) }
    }
  }

  /// Sums and products wrap around.
  ///
  /// Divisors are not zero.
  func row<Number: FixedWidthInteger>() -> BinaryRow<Number, Number> {
    switch self {
    case .add: BinaryRow { $0 &+ $1 }
    case .subtract: BinaryRow { $0 &- $1 }
    case .multiply: BinaryRow { $0 &* $1 }
    case .divide: BinaryRow { $0.dividedReportingOverflow(by: $1).partialValue }
    case .power: BinaryRow { integerPower($0, $1) }
    case .minimum: BinaryRow { Swift.min($0, $1) }
    case .maximum: BinaryRow { Swift.max($0, $1) }
    case .modulo:
      BinaryRow { a, b in
        let rest = a.remainderReportingOverflow(dividingBy: b).partialValue
        return rest != 0 && (rest < 0) != (b < 0) ? rest &+ b : rest
      }
    case .remainder: BinaryRow { $0.remainderReportingOverflow(dividingBy: $1).partialValue }
    }
  }
}

extension Comparison {
  func row<Operand: Comparable>() -> BinaryRow<Operand, Bool> {
    switch self {
    case .equal: BinaryRow { $0 == $1 }
    case .less: BinaryRow { $0 < $1 }
    case .lessOrEqual: BinaryRow { $0 <= $1 }
    case .greater: BinaryRow { $0 > $1 }
    case .greaterOrEqual: BinaryRow { $0 >= $1 }
    }
  }
}

extension LogicalOperation {
  func row() -> BinaryRow<Bool, Bool> {
    switch self {
    case .and: BinaryRow { $0 && $1 }
    case .or: BinaryRow { $0 || $1 }
    case .xor: BinaryRow { $0 != $1 }
    }
  }
}

@inline(__always)
private func floorModulo<Number: BinaryFloatingPoint>(_ a: Number, _ b: Number) -> Number {
  let rest = a.truncatingRemainder(dividingBy: b)
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest
}

/// Squares and multiplies, wrapping around; a negative exponent gives 1, -1 or 0.
private func integerPower<Number: FixedWidthInteger>(_ base: Number, _ exponent: Number) -> Number {
  guard exponent >= 0 else {
    if base == 1 { return 1 }
    return base &+ 1 == 0 && Number.isSigned ? (exponent & 1 == 0 ? 1 : base) : 0
  }
  var result: Number = 1
  var power = base
  var rest = exponent
  while rest > 0 {
    if rest & 1 == 1 { result = result &* power }
    power = power &* power
    rest >>= 1
  }
  return result
}
