import ScheduleLanguage

/// √(mean (a − b)² / mean b²) over every n-th token: a metric that the language lacks.
///
/// That is all of a primitive: what it is called and takes, and the expression it stands for.
struct RelativeRMS: FunctionPrimitive {
  static let descriptor = FunctionDescriptor(
    name: "relative_rms",
    summary: "the root mean square of a - b over that of b, in every 2nd token.",
    operands: [.tensor, .tensor], isMetric: true)

  static func expression(_ operands: [FunctionOperand]) -> Expression {
    let older = Expression.call(.downsample, [operands[1].expression, 2])
    let difference = Expression.call(.downsample, [operands[0].expression, 2]) - older
    return ((difference * difference).mean / (older * older).mean).squareRoot
  }
}
