import GraphIR
import ScheduleLanguage
import Tensors

/// Writes a reuse expression as ONNX operators, for one stream of one site.
struct TensorExpression {
  let input: ValueID
  let output: ValueID?
  let slots: [String: ValueID]
  let type: TensorType

  /// Appends the operators to `graph` and returns the value of the expression.
  func lower(
    _ expression: Expression, into graph: inout Graph, name: Name
  ) throws(CacheRewriteError) -> ValueID {
    switch expression {
    case .site(.input): return input
    case .site(.output):
      guard let output else {
        throw unsupported("the site's output does not exist on a reused step")
      }
      return output
    case .slot(let slot):
      guard let value = slots[slot] else { throw unsupported("slot '\(slot)' is not declared") }
      return value
    case .number(let number): return try constant(number, in: &graph)
    case .integer(let number): return try constant(Double(number), in: &graph)
    case .binary(let operation, let left, let right):
      guard let op = Self.operators[operation] else {
        throw unsupported("'\(operation.rawValue)' is not defined on tensors")
      }
      let a = try lower(left, into: &graph, name: "")
      let b = try lower(right, into: &graph, name: "")
      return graph.emit(op, [a, b], name: name, type: .tensor(type))
    case .boolean, .control, .not, .member:
      throw unsupported("'\(expression)' is not a tensor")
    }
  }

  private static let operators: [Expression.BinaryOperator: OpKey] = [
    .add: "Add", .subtract: "Sub", .multiply: "Mul", .divide: "Div",
  ]

  private func constant(
    _ number: Double, in graph: inout Graph
  ) throws(CacheRewriteError) -> ValueID {
    switch type.dataType {
    case .float32: return graph.constant([Float(number)], shape: .scalar)
    case .float64: return graph.constant([number], shape: .scalar)
    default: throw unsupported("numbers are written for float32 and float64 streams only")
    }
  }

  private func unsupported(_ message: String) -> CacheRewriteError {
    CacheRewriteError("unsupported-expression", at: "reuse", message)
  }
}
