/// A decision or a reuse as a value: what the rewrite lowers, the tests evaluate, and people read.
///
/// A decision is a boolean expression over controls, counters and slots. A reuse is a tensor
/// expression over the site's input and slots. Primitives only build expressions.
public indirect enum Expression: Hashable, Sendable {
  /// `true` or `false`.
  case boolean(Bool)
  /// A whole number.
  case integer(Int)
  /// A real number.
  case number(Double)
  /// A scalar that the host or the run provides.
  case control(Control)
  /// A tensor at the border of the site.
  case site(SiteValue)
  /// The content of a named slot of the rule.
  case slot(String)
  /// The opposite of a boolean.
  case not(Expression)
  /// Two operands.
  case binary(BinaryOperator, Expression, Expression)
  /// Whether an integer is one of a list.
  case member(Expression, of: [Int])

  /// A scalar known before the site runs.
  public enum Control: String, Hashable, Sendable, CaseIterable {
    /// The scheduler step, from 0.
    case step
    /// The number of steps of the run.
    case steps
    /// The noise level of this step.
    case sigma
    /// The noise level of the next step.
    case nextSigma = "next_sigma"
    /// The reused steps so far.
    case cachedSteps = "cached_steps"
    /// The reused steps since the last computed one.
    case continuousCachedSteps = "continuous_cached_steps"
  }

  /// A tensor at the border of a site; with several streams, that of each stream in turn.
  public enum SiteValue: String, Hashable, Sendable {
    /// The hidden states that enter the site.
    case input
    /// The hidden states that leave the site when it is computed.
    case output
  }

  /// An operator with two operands, spelled as in the language.
  public enum BinaryOperator: String, Hashable, Sendable, CaseIterable {
    case or, and
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    /// The remainder of the division rounded down: never negative for a positive divisor.
    case modulo = "mod"
  }

  /// The controls that the expression reads.
  public var controls: Set<Control> {
    switch self {
    case .control(let control): [control]
    case .not(let operand): operand.controls
    case .binary(_, let left, let right): left.controls.union(right.controls)
    case .member(let operand, _): operand.controls
    case .boolean, .integer, .number, .site, .slot: []
    }
  }

  /// The slots that the expression reads.
  public var slots: Set<String> {
    switch self {
    case .slot(let name): [name]
    case .not(let operand): operand.slots
    case .binary(_, let left, let right): left.slots.union(right.slots)
    case .member(let operand, _): operand.slots
    case .boolean, .integer, .number, .site, .control: []
    }
  }

  /// Whether the value depends on nothing but the step, the number of steps and what was reused
  /// before, so that a table of steps says it all.
  public var isStatic: Bool {
    slots.isEmpty
      && controls.isSubset(of: [.step, .steps, .cachedSteps, .continuousCachedSteps])
  }
}

extension Expression: ExpressibleByIntegerLiteral {
  /// A whole number.
  public init(integerLiteral value: Int) { self = .integer(value) }
}

extension Expression {
  /// The scheduler step, from 0.
  public static let step = Expression.control(.step)
  /// The number of steps of the run.
  public static let steps = Expression.control(.steps)

  /// Whether any of some booleans holds; false for none.
  public static func any(_ operands: [Expression]) -> Expression {
    guard let first = operands.first else { return .boolean(false) }
    return operands.dropFirst().reduce(first) { .binary(.or, $0, $1) }
  }

  /// Whether two values are equal.
  public func equals(_ other: Expression) -> Expression { .binary(.equal, self, other) }

  /// Whether an integer is one of a list.
  public func isMember(of list: [Int]) -> Expression { .member(self, of: list) }

  /// The remainder of the division rounded down.
  public func modulo(_ divisor: Expression) -> Expression { .binary(.modulo, self, divisor) }

  /// Both.
  public static func && (left: Expression, right: Expression) -> Expression {
    .binary(.and, left, right)
  }

  /// The sum.
  public static func + (left: Expression, right: Expression) -> Expression {
    .binary(.add, left, right)
  }

  /// The difference.
  public static func - (left: Expression, right: Expression) -> Expression {
    .binary(.subtract, left, right)
  }

  /// Whether the left one is less.
  public static func < (left: Expression, right: Expression) -> Expression {
    .binary(.less, left, right)
  }

  /// Whether the left one is not less.
  public static func >= (left: Expression, right: Expression) -> Expression {
    .binary(.greaterOrEqual, left, right)
  }
}

extension Expression: CustomStringConvertible {
  /// The expression in the language's own spelling, with the parentheses it needs and no others.
  public var description: String { text(inside: 0) }

  private func text(inside precedence: Int) -> String {
    switch self {
    case .boolean(let value): String(value)
    case .integer(let value): String(value)
    case .number(let value): String(value)
    case .control(let control): control.rawValue
    case .site(let value): value.rawValue
    case .slot(let name): name
    case .not(let operand): "not \(operand.text(inside: 7))"
    case .member(let operand, let list):
      "\(operand.text(inside: 4)) in [\(list.map(String.init).joined(separator: ", "))]"
    case .binary(let operation, let left, let right):
      Self.parenthesized(
        "\(left.text(inside: operation.precedence)) \(operation.rawValue) "
          + right.text(inside: operation.precedence + 1),
        if: operation.precedence < precedence)
    }
  }

  private static func parenthesized(_ text: String, if isNeeded: Bool) -> String {
    isNeeded ? "(\(text))" : text
  }
}

extension Expression.BinaryOperator {
  /// How tightly the operator binds.
  var precedence: Int {
    switch self {
    case .or: 1
    case .and: 2
    case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: 3
    case .add, .subtract: 4
    case .multiply, .divide, .modulo: 5
    }
  }
}
