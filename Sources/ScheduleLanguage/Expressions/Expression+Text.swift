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
    case .tap(let tap): tap.description
    case .held(let rule, let slot): "held(\(rule), \(slot))"
    case .slot(let name), .updated(let name), .parameter(let name): name
    case .not(let operand): "not \(operand.text(inside: 7))"
    case .member(let operand, let list):
      "\(operand.text(inside: 4)) in [\(list.map(String.init).joined(separator: ", "))]"
    case .binary(let operation, let left, let right):
      Self.parenthesized(
        "\(left.text(inside: operation.precedence)) \(operation.rawValue) "
          + right.text(inside: operation.precedence + 1),
        if: operation.precedence < precedence)
    case .conditional(let condition, let then, let other):
      Self.parenthesized(
        "if \(condition.text(inside: 0)) then \(then.text(inside: 0)) "
          + "else \(other.text(inside: 0))",
        if: precedence > 0)
    case .call(let function, let operands):
      "\(function.rawValue)(\(operands.map { $0.text(inside: 0) }.joined(separator: ", ")))"
    case .body(let operand): "body(\(operand.text(inside: 0)))"
    case .table(let list, let index):
      "[\(list.map { String($0) }.joined(separator: ", "))][\(index.text(inside: 0))]"
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
