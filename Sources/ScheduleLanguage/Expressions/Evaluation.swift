import Glibc

/// A scalar that an expression evaluates to.
public enum ScalarValue: Hashable, Sendable {
  /// `true` or `false`.
  case boolean(Bool)
  /// A whole number.
  case integer(Int)
  /// A real number.
  case number(Double)
}

/// Why an expression has no value.
public struct EvaluationError: Error, Hashable, Sendable {
  /// A stable kebab-case name.
  public var code: String
  /// What is wrong, in one sentence.
  public var message: String
}

/// The values that an expression may read.
public struct EvaluationContext: Hashable, Sendable {
  /// The controls.
  public var controls: [Expression.Control: ScalarValue]
  /// The scalar slots.
  public var slots: [String: ScalarValue]
  /// Those that assignments before the decision have changed.
  public var updated: [String: ScalarValue] = [:]

  /// A context of controls and slots.
  public init(
    controls: [Expression.Control: ScalarValue] = [:], slots: [String: ScalarValue] = [:]
  ) {
    self.controls = controls
    self.slots = slots
  }
}

extension Expression {
  /// The value of a scalar expression; tensors have none.
  ///
  /// `or` and `and` do not look at their right operand when the left one decides. Comparisons with
  /// NaN are false, so a decision written `not (metric < threshold)` computes.
  public func value(in context: EvaluationContext) throws(EvaluationError) -> ScalarValue {
    switch self {
    case .boolean(let value): return .boolean(value)
    case .integer(let value): return .integer(value)
    case .number(let value): return .number(value)
    case .control(let control):
      return try Self.known(context.controls[control], control.rawValue)
    case .slot(let name): return try Self.known(context.slots[name], name)
    case .updated(let name):
      return try Self.known(context.updated[name] ?? context.slots[name], name)
    case .parameter(let name): return try Self.known(context.slots[name], name)
    case .tap(let tap):
      throw EvaluationError(
        code: "not-a-scalar", message: "'\(tap)' is a tensor, not a scalar")
    case .conditional(let condition, let then, let other):
      return try condition.isTrue(in: context)
        ? then.value(in: context) : other.value(in: context)
    case .call(let function, let operands):
      var values: [ScalarValue] = []
      for operand in operands { values.append(try operand.value(in: context)) }
      return try Self.apply(function, values)
    case .table(let list, let index):
      guard !list.isEmpty, let place = try index.value(in: context).real, !place.isNaN else {
        throw Self.mismatch("[]", "an index")
      }
      return .number(
        list[Int(Swift.min(Swift.max(place.rounded(.down), 0), Double(list.count - 1)))])
    case .body, .held:
      throw EvaluationError(code: "not-a-scalar", message: "'\(self)' is a tensor, not a scalar")
    case .site(let value):
      throw EvaluationError(
        code: "not-a-scalar", message: "'\(value.rawValue)' is a tensor, not a scalar")
    case .not(let operand): return .boolean(!(try operand.isTrue(in: context)))
    case .member(let operand, let list):
      guard let value = try operand.value(in: context).real else {
        throw Self.mismatch("in", "a number")
      }
      return .boolean(list.contains { Double($0) == value })
    case .binary(.or, let left, let right):
      if try left.isTrue(in: context) { return .boolean(true) }
      return .boolean(try right.isTrue(in: context))
    case .binary(.and, let left, let right):
      guard try left.isTrue(in: context) else { return .boolean(false) }
      return .boolean(try right.isTrue(in: context))
    case .binary(let operation, let left, let right):
      let operands = (try left.value(in: context), try right.value(in: context))
      switch operands {
      case (.integer(let a), .integer(let b)): return try Self.apply(operation, a, b)
      case (.boolean(let a), .boolean(let b)): return try Self.apply(operation, a, b)
      default:
        guard let a = operands.0.real, let b = operands.1.real else {
          throw Self.mismatch(operation.rawValue, "two numbers or two booleans")
        }
        return try Self.apply(operation, a, b)
      }
    }
  }

  /// The value of a boolean expression.
  public func isTrue(in context: EvaluationContext) throws(EvaluationError) -> Bool {
    guard case .boolean(let value) = try value(in: context) else {
      throw EvaluationError(code: "not-a-boolean", message: "'\(self)' is not true or false")
    }
    return value
  }

  private static func known(
    _ value: ScalarValue?, _ name: String
  ) throws(EvaluationError) -> ScalarValue {
    guard let value else {
      throw EvaluationError(code: "unknown-value", message: "'\(name)' has no value here")
    }
    return value
  }

  private static func mismatch(_ operation: String, _ expected: String) -> EvaluationError {
    EvaluationError(code: "wrong-type", message: "'\(operation)' needs \(expected)")
  }

  private static func apply(
    _ function: Function, _ values: [ScalarValue]
  ) throws(EvaluationError) -> ScalarValue {
    let reals = values.compactMap(\.real)
    guard reals.count == values.count, reals.count == function.arity, let a = reals.first else {
      throw mismatch(function.rawValue, "numbers")
    }
    if case .integer(let x) = values[0] {
      switch (function, values.last) {
      case (.min, .integer(let y)?): return .integer(Swift.min(x, y))
      case (.max, .integer(let y)?): return .integer(Swift.max(x, y))
      case (.round, _), (.floor, _), (.ceil, _): return .integer(x)
      case (.abs, _): return .integer(x == .min ? .max : Swift.abs(x))
      default: break
      }
    }
    let b = reals[reals.count - 1]
    switch function {
    case .abs: return .number(Swift.abs(a))
    case .round: return .number(a.rounded(.toNearestOrEven))
    case .floor: return .number(a.rounded(.down))
    case .ceil: return .number(a.rounded(.up))
    case .sqrt: return .number(a.squareRoot())
    case .exp: return .number(Glibc.exp(a))
    case .log: return .number(Glibc.log(a))
    case .min: return .number(a.isNaN || b.isNaN ? .nan : Swift.min(a, b))
    case .max: return .number(a.isNaN || b.isNaN ? .nan : Swift.max(a, b))
    case .mean, .sum, .largest, .downsample, .dropFirst, .dropLast, .lowFrequencies, .norm, .noise,
      .unit, .gridPeaks, .topK, .gather, .scatter, .clusters, .representatives:
      throw EvaluationError(
        code: "not-a-scalar", message: "'\(function.rawValue)' is a function of tensors")
    }
  }

  private static func apply(
    _ operation: BinaryOperator, _ a: Bool, _ b: Bool
  ) throws(EvaluationError) -> ScalarValue {
    switch operation {
    case .equal: .boolean(a == b)
    case .notEqual: .boolean(a != b)
    default: throw mismatch(operation.rawValue, "numbers")
    }
  }

  private static func apply(
    _ operation: BinaryOperator, _ a: Double, _ b: Double
  ) throws(EvaluationError) -> ScalarValue {
    switch operation {
    case .or, .and: throw mismatch(operation.rawValue, "booleans")
    case .equal: .boolean(a == b)
    case .notEqual: .boolean(a != b)
    case .less: .boolean(a < b)
    case .lessOrEqual: .boolean(a <= b)
    case .greater: .boolean(a > b)
    case .greaterOrEqual: .boolean(a >= b)
    case .add: .number(a + b)
    case .subtract: .number(a - b)
    case .multiply: .number(a * b)
    case .divide: .number(a / b)
    case .modulo: .number(a - (a / b).rounded(.down) * b)
    }
  }

  private static func apply(
    _ operation: BinaryOperator, _ a: Int, _ b: Int
  ) throws(EvaluationError) -> ScalarValue {
    switch operation {
    case .or, .and: throw mismatch(operation.rawValue, "booleans")
    case .equal: return .boolean(a == b)
    case .notEqual: return .boolean(a != b)
    case .less: return .boolean(a < b)
    case .lessOrEqual: return .boolean(a <= b)
    case .greater: return .boolean(a > b)
    case .greaterOrEqual: return .boolean(a >= b)
    case .add: return try whole(a.addingReportingOverflow(b))
    case .subtract: return try whole(a.subtractingReportingOverflow(b))
    case .multiply: return try whole(a.multipliedReportingOverflow(by: b))
    case .divide: return .number(Double(a) / Double(b))
    case .modulo:
      let remainder = a.remainderReportingOverflow(dividingBy: b)
      guard !remainder.overflow else {
        throw EvaluationError(code: "division-by-zero", message: "'\(a) mod \(b)' has no value")
      }
      let value = remainder.partialValue
      return .integer(value != 0 && (value < 0) != (b < 0) ? value + b : value)
    }
  }

  private static func whole(
    _ result: (partialValue: Int, overflow: Bool)
  ) throws(EvaluationError) -> ScalarValue {
    guard !result.overflow else {
      throw EvaluationError(code: "overflow", message: "a whole number is out of range")
    }
    return .integer(result.partialValue)
  }
}

extension ScalarValue {
  /// The value as a real number; a boolean has none.
  var real: Double? {
    switch self {
    case .boolean: nil
    case .integer(let value): Double(value)
    case .number(let value): value
    }
  }
}
