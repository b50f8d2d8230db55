import Glibc
import GraphIR
import ModelStructure
import ScheduleLanguage
import Tensors

/// Evaluates expressions on arrays, as a second opinion on what a cached model computes.
struct ArrayExpression {
  /// A scalar or an array.
  enum Value {
    case boolean(Bool)
    case number(Double)
    case array([Float], Shape)
  }

  /// The grid of the site's tokens; nil where they are none of the latents'.
  var grid: TokenGrid?
  /// What a leaf stands for.
  let leaf: (Expression) throws -> Value

  /// The value of an expression; only the branch of a condition that holds is evaluated.
  func value(of expression: Expression) throws -> Value {
    switch expression {
    case .boolean(let value): return .boolean(value)
    case .integer(let value): return .number(Double(value))
    case .number(let value): return .number(value)
    case .control, .site, .tap, .held, .slot, .updated, .parameter, .body:
      return try leaf(expression)
    case .not(let operand): return .boolean(!(try isTrue(operand)))
    case .member(let operand, let list):
      let number = try number(operand)
      return .boolean(list.contains { Double($0) == number })
    case .conditional(let condition, let then, let other):
      return try value(of: try isTrue(condition) ? then : other)
    case .binary(.or, let left, let right):
      return .boolean(try isTrue(left) ? true : try isTrue(right))
    case .binary(.and, let left, let right):
      return .boolean(try isTrue(left) ? try isTrue(right) : false)
    case .binary(let operation, let left, let right):
      return try binary(operation, try value(of: left), try value(of: right))
    case .call(let function, let operands) where function.tokenOperands != nil:
      return try tokens(function, of: operands)
    case .call(let function, let operands):
      return try call(function, try operands.map { try value(of: $0) })
    case .table(let list, let index):
      let place = try number(index).rounded(.down)
      return .number(list[Int(min(max(place, 0), Double(list.count - 1)))])
    }
  }

  func isTrue(_ expression: Expression) throws -> Bool {
    guard case .boolean(let value) = try value(of: expression) else { throw Self.odd(expression) }
    return value
  }

  func number(_ expression: Expression) throws -> Double {
    guard case .number(let value) = try value(of: expression) else { throw Self.odd(expression) }
    return value
  }

  /// The value as an array of a shape; a number fills it.
  func array(_ expression: Expression, like shape: Shape) throws -> Tensor {
    switch try value(of: expression) {
    case .array(let elements, let shape): return Tensor(elements, shape: shape)
    case .number(let value):
      return Tensor([Float](repeating: Float(value), count: shape.elementCount), shape: shape)
    case .boolean: throw Self.odd(expression)
    }
  }

  private func binary(
    _ operation: Expression.BinaryOperator, _ left: Value, _ right: Value
  ) throws -> Value {
    switch (left, right) {
    case (.number(let a), .number(let b)):
      switch operation {
      case .equal: return .boolean(a == b)
      case .notEqual: return .boolean(a != b)
      case .less: return .boolean(a < b)
      case .lessOrEqual: return .boolean(a <= b)
      case .greater: return .boolean(a > b)
      case .greaterOrEqual: return .boolean(a >= b)
      case .modulo: return .number(a - (a / b).rounded(.down) * b)
      default: return .number(try Self.apply(operation, a, b))
      }
    default: return try combined(left, right) { try Self.apply(operation, $0, $1) }
    }
  }

  /// Two numbers, two arrays of one shape, or an array and a number for each of its elements.
  private func combined(
    _ left: Value, _ right: Value, _ operation: (Double, Double) throws -> Double
  ) throws -> Value {
    func float(_ a: Float, _ b: Float) throws -> Float {
      Float(try operation(Double(a), Double(b)))
    }
    switch (left, right) {
    case (.number(let a), .number(let b)): return .number(try operation(a, b))
    case (.array(let a, let shape), .number(let b)):
      return .array(try a.map { try float($0, Float(b)) }, shape)
    case (.number(let a), .array(let b, let shape)):
      return .array(try b.map { try float(Float(a), $0) }, shape)
    case (.array(let a, let shape), .array(let b, _)) where a.count == b.count:
      return .array(try zip(a, b).map(float), shape)
    default: throw Self.odd(.boolean(false))
    }
  }

  /// The smaller or the larger number; NaN if one of them is, as in ONNX.
  private static func extreme(_ a: Double, _ b: Double, isLeast: Bool) -> Double {
    if a.isNaN || b.isNaN { return .nan }
    return isLeast ? min(a, b) : max(a, b)
  }

  private static func apply(
    _ operation: Expression.BinaryOperator, _ a: Double, _ b: Double
  ) throws -> Double {
    switch operation {
    case .add: a + b
    case .subtract: a - b
    case .multiply: a * b
    case .divide: a / b
    default: throw odd(.boolean(false))
    }
  }

  private func call(_ function: Expression.Function, _ operands: [Value]) throws -> Value {
    switch (function, operands[0]) {
    case (.lowFrequencies, .array(let elements, let shape)):
      guard case .number(let part)? = operands.last else { throw Self.odd(.boolean(false)) }
      return try Self.lowFrequencies(elements, shape, Int(part))
    case (.mean, .array(let elements, _)):
      return .number(elements.reduce(0) { $0 + Double($1) } / Double(max(1, elements.count)))
    case (.sum, .array(let elements, _)): return .number(elements.reduce(0) { $0 + Double($1) })
    case (.largest, .array(let elements, _)):
      return .number(
        elements.dropFirst().reduce(Double(elements.first ?? .nan)) {
          Self.extreme($0, Double($1), isLeast: false)
        })
    case (.downsample, .array(let elements, let shape)),
      (.dropFirst, .array(let elements, let shape)),
      (.dropLast, .array(let elements, let shape)):
      guard case .number(let count)? = operands.last else { throw Self.odd(.boolean(false)) }
      return try select(function, elements, shape, Int(count))
    case (.min, _), (.max, _):
      return try combined(operands[0], operands[operands.count - 1]) {
        Self.extreme($0, $1, isLeast: function == .min)
      }
    case (_, .number(let value)): return .number(try Self.apply(function, value))
    case (_, .array(let elements, let shape)):
      return .array(try elements.map { Float(try Self.apply(function, Double($0))) }, shape)
    case (_, .boolean): throw Self.odd(.boolean(false))
    }
  }

  private func select(
    _ function: Expression.Function, _ elements: [Float], _ shape: Shape, _ count: Int
  ) throws -> Value {
    guard shape.rank >= 2 else { throw Self.odd(.boolean(false)) }
    let width = shape[shape.rank - 1]
    let tokens = shape[shape.rank - 2]
    let kept = (0..<tokens).filter { token in
      switch function {
      case .dropFirst: token >= count
      case .dropLast: token < tokens - count
      default: token % count == 0
      }
    }
    var result: [Float] = []
    for row in 0..<(elements.count / max(1, tokens * width)) {
      for token in kept {
        let first = (row * tokens + token) * width
        result += elements[first..<first + width]
      }
    }
    var sizes = shape.dimensions
    sizes[shape.rank - 2] = kept.count
    return .array(result, try Shape(sizes))
  }

  private static func apply(
    _ function: Expression.Function, _ a: Double
  ) throws -> Double {
    switch function {
    case .abs: abs(a)
    case .round: a.rounded(.toNearestOrEven)
    case .floor: a.rounded(.down)
    case .ceil: a.rounded(.up)
    case .sqrt: a.squareRoot()
    case .exp: Glibc.exp(a)
    case .log: Glibc.log(a)
    default: throw odd(.call(function, []))
    }
  }

  static func odd(_ expression: Expression) -> UsageError {
    UsageError.unsupported(
      "unchecked-expression", at: "--check", "'\(expression)' cannot be evaluated on arrays")
  }
}
