import CacheContract
import ScheduleLanguage

extension Manifest.Rule.Metric {
  /// How a rule reads its metric; nil for a rule without one.
  ///
  /// - Parameters:
  ///   - facts: the rule with its steps
  ///   - parameters: the schedule's values of what a host may change
  init?(_ facts: ResolvedRule, parameters: [ScheduleParameter]) {
    guard let metric = facts.rule.metric else { return nil }
    let found = facts.rule.adaptive.flatMap { Self.comparison(of: metric, in: $0) }
    let context = EvaluationContext(
      slots: Dictionary(
        parameters.map { ($0.name, .number($0.defaultValue)) }, uniquingKeysWith: { $1 }))
    let value = found.flatMap { found in try? found.threshold.value(in: context) }
    let threshold: Double? =
      switch value {
      case .number(let number)?: number
      case .integer(let number)?: Double(number)
      case .boolean?, nil: nil
      }
    self.init(
      reusesBelow: found?.reusesBelow, threshold: threshold,
      forcedSteps: facts.table.isAdaptive ? facts.table.computedSteps : [])
  }

  /// The first comparison of a metric in the condition under which a rule computes.
  private static func comparison(
    of metric: Expression, in condition: Expression
  ) -> (reusesBelow: Bool, threshold: Expression)? {
    var pending = [(part: condition, isNegated: false)]
    while let (part, isNegated) = pending.popLast() {
      switch part {
      case .not(let operand):
        pending.append((operand, !isNegated))
      case .binary(.or, let left, let right), .binary(.and, let left, let right):
        pending += [(right, isNegated), (left, isNegated)]
      case .binary(let operation, let left, let right) where left == metric || right == metric:
        guard let isBelow = operation.holdsBelow else { continue }
        let onLeft = left == metric
        return (isBelow == (isNegated == onLeft), onLeft ? right : left)
      default: continue
      }
    }
    return nil
  }
}

extension Expression.BinaryOperator {
  /// Whether the operator holds for a left operand below the right one; nil if it orders nothing.
  fileprivate var holdsBelow: Bool? {
    switch self {
    case .less, .lessOrEqual: true
    case .greater, .greaterOrEqual: false
    default: nil
    }
  }
}
