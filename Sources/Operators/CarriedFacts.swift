import GraphIR

/// Facts of values that a graph hands to itself.
enum CarriedFacts {
  /// Makes the facts hold before and after each trip, and returns those of all that a trip yields.
  ///
  /// `trip` types one trip; its first results become the carried values of the next. What differs
  /// from one trip to another becomes unknown.
  static func settle(
    _ carried: inout [ValueFact], _ context: any InferenceContext,
    _ trip: ([ValueFact]) throws(OperatorError) -> [ValueFact]
  ) throws(OperatorError) -> [ValueFact] {
    for round in 0..<3 {
      let results = try trip(carried)
      guard results.count >= carried.count else {
        throw .badOperands("the body yields \(results.count) of \(carried.count) values")
      }
      var isSettled = true
      for position in carried.indices {
        let merged = try merge(
          carried[position].type, results[position].type, round: round, context)
        if merged != carried[position].type { isSettled = false }
        carried[position] = ValueFact(merged)
      }
      if isSettled { return results }
    }
    return try trip(carried)
  }

  private static func merge(
    _ a: ValueType, _ b: ValueType, round: Int, _ context: any InferenceContext
  ) throws(OperatorError) -> ValueType {
    guard a != b else { return a }
    switch (a, b) {
    case (.tensor(let first), .tensor(let second)):
      if let one = first.dataType, let other = second.dataType, one != other {
        throw .badOperands("a carried value is \(one) before a trip and \(other) after it")
      }
      guard round == 0, let one = first.shape, let other = second.shape, one.count == other.count
      else { return .tensor(first.dataType ?? second.dataType, nil) }
      return .tensor(
        first.dataType ?? second.dataType,
        zip(one, other).map { $0 == $1 ? $0 : context.makeSymbol() })
    case (.sequence(.unknown), .sequence), (.sequence, .sequence(.unknown)):
      return .sequence(.unknown)
    case (.sequence(let first), .sequence(let second)):
      return .sequence(try merge(first, second, round: round, context))
    case (.optional(let first), .optional(let second)):
      return .optional(try merge(first, second, round: round, context))
    default: return .unknown
    }
  }
}
