import GraphIR
import ScheduleLanguage
import Tensors

/// Functions of numbers and of whole tensors.
extension ExpressionLowering {
  func call(
    _ function: Expression.Function, _ operands: [Operand], in scope: GraphScope
  ) throws -> Operand {
    var first = operands[0]
    switch function {
    case .largest: return largest(first, in: scope)
    case .mean, .sum:
      let op: OpKey = function == .mean ? "ReduceMean" : "ReduceSum"
      let value = scope.cast(first.value, to: .float32)
      return scalar(
        scope.emit(op, [value], [Attribute("keepdims", .int(0))], .tensor(.float32, [])), .number)
    case .abs, .round, .floor, .ceil, .sqrt, .exp, .log:
      if first.kind == .integer {
        if function != .sqrt && function != .exp && function != .log && function != .abs {
          return first
        }
        first.value = scope.cast(first.value, to: .float32)
        first.kind = .number
      }
      guard let op = Self.unary[function] else { throw unsupported(function.rawValue) }
      first.value = scope.emit(op, [first.value], first.valueType)
      return first
    case .min, .max:
      var (a, b) = matched(first, operands[1], isDivision: false, in: scope)
      if a.kind != .tensor { swap(&a, &b) }
      a.value = scope.emit(function == .min ? "Min" : "Max", [a.value, b.value], a.valueType)
      return a
    case .downsample, .dropFirst, .dropLast, .lowFrequencies, .norm, .noise, .topK, .gather,
      .scatter, .clusters, .representatives, .unit, .gridPeaks:
      throw unsupported("'\(function.rawValue)'")
    }
  }

  /// The largest element, NaN if any is: ONNX does not say what ReduceMax makes of NaN, and ONNX
  /// Runtime passes over it.
  private func largest(_ operand: Operand, in scope: GraphScope) -> Operand {
    let value = scope.cast(operand.value, to: .float32)
    func reduced(_ value: ValueID, _ type: DataType) -> ValueID {
      scope.emit("ReduceMax", [value], [Attribute("keepdims", .int(0))], .tensor(type, []))
    }
    let unknown = scope.emit("IsNaN", [value], .tensor(.bool, operand.type.shape))
    let numbers = scope.emit(
      "Cast", [unknown], [Attribute("to", .int(Int(DataType.int32.rawValue)))],
      .tensor(.int32, operand.type.shape))
    let isAny = scope.cast(reduced(numbers, .int32), to: .bool)
    let nan = scope.graph.constant([Float.nan], shape: .scalar)
    return scalar(
      scope.emit("Where", [isAny, nan, reduced(value, .float32)], .tensor(.float32, [])), .number)
  }

  private static let unary: [Expression.Function: OpKey] = [
    .abs: "Abs", .round: "Round", .floor: "Floor", .ceil: "Ceil", .sqrt: "Sqrt", .exp: "Exp",
    .log: "Log",
  ]

  /// Every n-th token, or all but the first or last n: along the second to last axis.
  func selection(
    _ function: Expression.Function, of operand: Operand, _ count: Int, in scope: GraphScope
  ) throws -> Operand {
    guard let shape = operand.type.shape, shape.count >= 2 else {
      throw unsupported("'\(function.rawValue)' of a value whose rank is not known")
    }
    func vector(_ number: Int64) -> ValueID {
      scope.graph.constant([number], shape: .vector(1))
    }
    let end = Int64.max
    let bounds: (start: Int64, end: Int64, step: Int64) =
      switch function {
      case .dropFirst: (Int64(count), end, 1)
      case .dropLast: (0, -Int64(count), 1)
      default: (0, end, Int64(count))
      }
    var type = operand.type
    type.shape?[shape.count - 2] = Dimension(symbol: "ditcache_\(function.rawValue)_\(count)")
    return Operand(
      value: scope.emit(
        "Slice",
        [
          operand.value, vector(bounds.start), vector(bounds.end), vector(-2),
          vector(bounds.step),
        ], .tensor(type)), kind: .tensor, type: type)
  }

  func unsupported(_ what: String) -> CacheRewriteError {
    CacheRewriteError("unsupported-expression", at: place, "\(what) cannot be written here")
  }
}

extension Expression {
  /// Parts that, where they are tensors, have the shape of the whole, the likeliest first.
  var shapeLeaves: [Expression] {
    switch self {
    case .site, .tap, .held, .slot: [self]
    case .binary(_, let left, let right): left.shapeLeaves + right.shapeLeaves
    case .conditional(_, let then, let other): then.shapeLeaves + other.shapeLeaves
    case .call(.mean, _), .call(.sum, _), .call(.largest, _): []
    case .call(.lowFrequencies, let operands): operands[0].shapeLeaves
    case .call(.scatter, let operands): operands[0].shapeLeaves
    case .call(let function, _) where function.isSelection || function.tokenOperands != nil: [self]
    case .body(let operand): operand.shapeLeaves
    case .call(_, let operands): operands.flatMap(\.shapeLeaves)
    case .boolean, .integer, .number, .control, .updated, .parameter, .not, .member, .table: []
    }
  }

  /// The operands of a chain of `and`.
  var conjuncts: [Expression] {
    if case .binary(.and, let left, let right) = self { return left.conjuncts + right.conjuncts }
    return [self]
  }
}
