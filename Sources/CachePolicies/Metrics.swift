import ScheduleLanguage

/// mean|a − b| / mean|b|; b is the older tensor.
struct RelativeL1: FunctionPrimitive {
  static let descriptor = FunctionDescriptor(
    name: "relative_l1", summary: "mean|a - b| / mean|b|; b is the older one.",
    operands: [.tensor, .tensor], isMetric: true)

  static func expression(_ operands: [FunctionOperand]) -> Expression {
    let (a, b) = (operands[0].expression, operands[1].expression)
    return (a - b).magnitude.mean / b.magnitude.mean
  }
}

/// √(Σ(a − b)² / Σb²); b is the older tensor.
struct RelativeL2: FunctionPrimitive {
  static let descriptor = FunctionDescriptor(
    name: "relative_l2", summary: "the L2 norm of a - b over that of b; b is the older one.",
    operands: [.tensor, .tensor], isMetric: true)

  static func expression(_ operands: [FunctionOperand]) -> Expression {
    let (a, b) = (operands[0].expression, operands[1].expression)
    return (((a - b) * (a - b)).mean / (b * b).mean).squareRoot
  }
}

/// mean|a − b|.
struct L1Distance: FunctionPrimitive {
  static let descriptor = FunctionDescriptor(
    name: "l1", summary: "mean|a - b|.", operands: [.tensor, .tensor], isMetric: true)

  static func expression(_ operands: [FunctionOperand]) -> Expression {
    (operands[0].expression - operands[1].expression).magnitude.mean
  }
}

/// 1 − the cosine of the angle between two tensors, all elements taken as one vector.
struct CosineDistance: FunctionPrimitive {
  static let descriptor = FunctionDescriptor(
    name: "cosine_distance", summary: "1 - the cosine of the angle between two tensors.",
    operands: [.tensor, .tensor], isMetric: true)

  static func expression(_ operands: [FunctionOperand]) -> Expression {
    let (a, b) = (operands[0].expression, operands[1].expression)
    return 1 - (a * b).mean / ((a * a).mean * (b * b).mean).squareRoot
  }
}

/// A polynomial of a number, highest power first, as numpy's `poly1d`; by Horner's rule.
struct Polynomial: FunctionPrimitive {
  static let descriptor = FunctionDescriptor(
    name: "poly", summary: "a polynomial; coefficients from the highest power down.",
    operands: [.number, .list])

  static func expression(_ operands: [FunctionOperand]) -> Expression {
    let x = operands[0].expression
    let coefficients = operands[1].numbers
    guard let first = coefficients.first else { return .number(0) }
    return coefficients.dropFirst().reduce(.number(first)) { $0 * x + .number($1) }
  }
}
