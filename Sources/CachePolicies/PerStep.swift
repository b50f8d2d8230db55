import ScheduleLanguage

/// The element of a list for the step; a list of n elements is read at round(step · (n − 1) /
/// (steps − 1)), so that one made for another number of steps serves.
///
/// MagCache's `nearest_interp` (github.com/Zehong-Ma/MagCache, magcache_generate.py).
struct PerStep: FunctionPrimitive {
  static let descriptor = FunctionDescriptor(
    name: "per_step",
    summary: "the element of a list for this step, the nearest one if the list has another length.",
    operands: [.list])

  static func expression(_ operands: [FunctionOperand]) -> Expression {
    let list = operands[0].numbers
    let last = Expression.integer(max(0, list.count - 1))
    let steps = Expression.call(.max, [.steps - 1, 1])
    return .table(list, at: .call(.round, [.step * last / steps]))
  }
}
