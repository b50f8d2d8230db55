extension Expression {
  /// The scheduler step, from 0.
  public static let step = Expression.control(.step)
  /// The number of steps of the run.
  public static let steps = Expression.control(.steps)
  /// The steps from the last computed one to this one: 1 right after it.
  public static let elapsed = Expression.control(.continuousCachedSteps) + 1

  /// Whether any of some booleans holds; false for none.
  public static func any(_ operands: [Expression]) -> Expression {
    guard let first = operands.first else { return .boolean(false) }
    return operands.dropFirst().reduce(first) { .binary(.or, $0, $1) }
  }

  /// The sum; 0 for none.
  public static func sum(_ operands: [Expression]) -> Expression {
    guard let first = operands.first else { return 0 }
    return operands.dropFirst().reduce(first) { $0 + $1 }
  }

  /// `this` where the expression holds, else `other`.
  public func then(_ this: Expression, else other: Expression) -> Expression {
    .conditional(self, this, other)
  }

  /// The absolute value.
  public var magnitude: Expression { .call(.abs, [self]) }
  /// The mean of all elements of a tensor.
  public var mean: Expression { .call(.mean, [self]) }
  /// The sum of all elements of a tensor.
  public var sum: Expression { .call(.sum, [self]) }
  /// The square root.
  public var squareRoot: Expression { .call(.sqrt, [self]) }

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

  /// Either.
  public static func || (left: Expression, right: Expression) -> Expression {
    .binary(.or, left, right)
  }

  /// The sum.
  public static func + (left: Expression, right: Expression) -> Expression {
    .binary(.add, left, right)
  }

  /// The difference.
  public static func - (left: Expression, right: Expression) -> Expression {
    .binary(.subtract, left, right)
  }

  /// The product.
  public static func * (left: Expression, right: Expression) -> Expression {
    .binary(.multiply, left, right)
  }

  /// The quotient.
  public static func / (left: Expression, right: Expression) -> Expression {
    .binary(.divide, left, right)
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
