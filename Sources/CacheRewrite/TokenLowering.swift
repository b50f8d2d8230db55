import GraphIR
import ScheduleLanguage
import Tensors

/// Functions of tokens: rows along the second to last axis.
extension ExpressionLowering {
  func tokens(
    _ function: Expression.Function, of operands: [Expression], in scope: GraphScope
  ) throws -> Operand {
    let first = try tensor(operands[0], function, in: scope)
    switch function {
    case .norm: return norm(first, in: scope)
    case .unit: return unit(first, in: scope)
    case .gridPeaks:
      guard case .integer(let side) = operands[1] else {
        throw unsupported("'grid_peaks' of cells of a computed size")
      }
      return try gridPeaks(of: first, side: side, in: scope)
    case .noise: return try noise(like: first, seed: operands[1], in: scope)
    case .topK: return try topK(first, part: operands[1], in: scope)
    case .gather:
      return gather(first, try choice(operands[1], function, in: scope), in: scope)
    case .scatter:
      return try scatter(
        first, try choice(operands[1], function, in: scope), try lower(operands[2], in: scope),
        in: scope)
    case .clusters, .representatives:
      guard case .integer(let number) = operands[1] else {
        throw unsupported("'\(function.rawValue)' of a computed number of clusters")
      }
      if function == .clusters, case .integer(let rounds) = operands[2] {
        return clusters(of: first, number, rounds: rounds, in: scope)
      }
      return representatives(
        of: try choice(operands[0], function, in: scope), number,
        scores: try tensor(operands[2], function, in: scope), in: scope)
    default: throw unsupported("'\(function.rawValue)'")
    }
  }

  /// A tensor operand in float32, of known rank.
  private func tensor(
    _ expression: Expression, _ function: Expression.Function, in scope: GraphScope
  ) throws -> Operand {
    var operand = try lower(expression, in: scope)
    guard operand.kind == .tensor, let rank = operand.type.shape?.count, rank >= 2 else {
      throw unsupported("'\(function.rawValue)' of a value whose rank is not known")
    }
    operand.value = scope.cast(operand.value, to: .float32)
    operand.type.dataType = .float32
    return operand
  }

  /// Numbers of tokens as int64.
  private func choice(
    _ expression: Expression, _ function: Expression.Function, in scope: GraphScope
  ) throws -> Operand {
    var operand = try lower(expression, in: scope)
    guard operand.kind == .tensor, operand.type.shape?.last == 1 else {
      throw unsupported("'\(function.rawValue)' with anything but one number a token")
    }
    operand.value = scope.cast(operand.value, to: .int64)
    operand.type.dataType = .int64
    return operand
  }

  private func column(_ type: TensorType, _ dataType: DataType) -> TensorType {
    TensorType(dataType, type.shape.map { $0.dropLast() + [1] })
  }

  func vector(_ numbers: [Int], in scope: GraphScope) -> ValueID {
    scope.graph.constant(numbers.map(Int64.init), shape: .vector(numbers.count))
  }

  private func shape(of operand: Operand, in scope: GraphScope) -> ValueID {
    scope.emit(
      "Shape", [operand.value],
      .tensor(.int64, operand.type.shape.map { [Dimension($0.count)] }))
  }

  /// How many tokens there are, an int64 scalar.
  private func count(of operand: Operand, in scope: GraphScope) -> ValueID {
    let rank = operand.type.shape?.count ?? 2
    let place = scope.graph.constant([Int64(rank - 2)], shape: .scalar)
    return scope.emit("Gather", [shape(of: operand, in: scope), place], .tensor(.int64, []))
  }

  private func norm(_ operand: Operand, in scope: GraphScope) -> Operand {
    let type = column(operand.type, .float32)
    let squares = scope.emit("Mul", [operand.value, operand.value], operand.valueType)
    let sums = scope.emit("ReduceSum", [squares, vector([-1], in: scope)], .tensor(type))
    return Operand(
      value: scope.emit("Sqrt", [sums], .tensor(type)), kind: .tensor, type: type)
  }

  /// A tensor over the L2 norm of each channel along the tokens, which counts as 1e-12 at least, as in
  /// PyTorch's `normalize`.
  private func unit(_ operand: Operand, in scope: GraphScope) -> Operand {
    let shape = operand.type.shape.map { Array($0.dropLast(2)) + [1] + Array($0.suffix(1)) }
    let type: ValueType = .tensor(TensorType(.float32, shape))
    let squares = scope.emit("Mul", [operand.value, operand.value], operand.valueType)
    let sums = scope.emit("ReduceSum", [squares, vector([-2], in: scope)], type)
    let least = scope.graph.constant([Float(1e-12)], shape: .scalar)
    let norm = scope.emit("Max", [scope.emit("Sqrt", [sums], type), least], type)
    var result = operand
    result.value = scope.emit("Div", [operand.value, norm], operand.valueType)
    return result
  }

  /// The ⌊part · N⌋ tokens of the largest scores, at least one; of equal scores the earlier one.
  ///
  /// OpenVINO 2026.4 fails on operators without rows.
  private func topK(
    _ scores: Operand, part: Expression, in scope: GraphScope
  ) throws -> Operand {
    guard var shape = scores.type.shape, shape.last == 1 else {
      throw unsupported("'top_k' of anything but one score a token, such as 'norm(input)',")
    }
    let axis = shape.count - 2
    let known = (try? part.value(in: EvaluationContext())).flatMap { value in
      shape[axis].value.map { Self.count(of: $0, part: value) }
    }
    let size: ValueID
    if let known {
      shape[axis] = Dimension(known)
      size = vector([known], in: scope)
    } else {
      shape[axis] = Dimension(symbol: scope.symbol("top_k"))
      let all = count(of: scores, in: scope)
      let number = scope.cast(all, to: .float32)
      let fraction = scope.cast(try lower(part, in: scope).value, to: .float32)
      let scalar: ValueType = .tensor(.float32, [])
      let product = scope.emit("Mul", [fraction, number], scalar)
      let whole = scope.cast(scope.emit("Floor", [product], scalar), to: .int64)
      let one = scope.graph.constant([Int64(1)], shape: .scalar)
      let atLeast = scope.emit("Max", [whole, one], .tensor(.int64, []))
      let bounded = scope.emit("Min", [atLeast, all], .tensor(.int64, []))
      size = scope.emit("Reshape", [bounded, vector([1], in: scope)], .tensor(.int64, [1]))
    }
    let type = TensorType(.int64, shape)
    let largest = scope.graph.makeValue("", type: .tensor(.float32, shape))
    let tokens = scope.graph.makeValue("", type: .tensor(type))
    scope.graph.append(
      Node(
        "TopK", inputs: [scores.value, size], outputs: [largest, tokens],
        attributes: [Attribute("axis", .int(-2))]))
    return Operand(value: tokens, kind: .tensor, type: type)
  }

  private static func count(of tokens: Int, part: ScalarValue) -> Int {
    let part: Double =
      switch part {
      case .number(let value): value
      case .integer(let value): Double(value)
      case .boolean: 0
      }
    let share = (part * Double(tokens)).rounded(.down)
    return Int(min(max(share.isNaN ? 1 : share, 1), Double(max(1, tokens))))
  }

  private func gather(
    _ operand: Operand, _ tokens: Operand, in scope: GraphScope
  ) -> Operand {
    var type = operand.type
    if let shape = type.shape, let chosen = tokens.type.shape, chosen.count == shape.count {
      type.shape?[shape.count - 2] = chosen[shape.count - 2]
    }
    let batches = (operand.type.shape?.count ?? 2) - 2
    return Operand(
      value: scope.emit(
        "GatherND", [operand.value, tokens.value], [Attribute("batch_dims", .int(batches))],
        .tensor(type)), kind: .tensor, type: type)
  }

  private func scatter(
    _ operand: Operand, _ tokens: Operand, _ values: Operand, in scope: GraphScope
  ) throws -> Operand {
    var rows = scope.cast(values.value, to: .float32)
    if values.kind != .tensor {
      guard operand.type.shape?.last == 1 else {
        throw unsupported("'scatter' of a number into more than one number a token")
      }
      rows = scope.emit(
        "Expand", [rows, shape(of: tokens, in: scope)],
        .tensor(TensorType(.float32, tokens.type.shape)))
    }
    let type = values.kind == .tensor ? values.type : TensorType(.float32, tokens.type.shape)
    let sizes = scope.emit(
      "Shape", [rows], .tensor(.int64, type.shape.map { [Dimension($0.count)] }))
    let places = scope.emit(
      "Expand", [tokens.value, sizes], .tensor(TensorType(.int64, type.shape)))
    return Operand(
      value: scope.emit(
        "ScatterElements", [operand.value, places, rows], [Attribute("axis", .int(-2))],
        operand.valueType), kind: .tensor, type: operand.type)
  }

  /// A number from 0 to 1 for token i, none twice among 4 million: (p·a + b) / p² after four rounds of
  /// (a, b) ← (b, (a + (b + key)³) mod p) from (i div p, i mod p), key = 1543·step + seed + 1009·round.
  ///
  /// A Feistel network is one to one whatever its rounds are. p = 2039 is prime, and all products stay
  /// below 2²⁴, so runtimes that compute whole numbers as floats agree to the bit.
  private func noise(
    like operand: Operand, seed: Expression, in scope: GraphScope
  ) throws -> Operand {
    let rank = operand.type.shape?.count ?? 2
    let type = column(operand.type, .int64)
    let (number, tokens): (ValueType, ValueType) = (.tensor(.int64, []), .tensor(type))
    func scalar(_ number: Int) -> ValueID {
      scope.graph.constant([Int64(number)], shape: .scalar)
    }
    let prime = scalar(2_039)
    func modulo(_ value: ValueID, _ type: ValueType) -> ValueID {
      scope.emit("Mod", [value, prime], type)
    }
    let line: ValueType = .tensor(.int64, nil)
    let places = scope.emit("Range", [scalar(0), count(of: operand, in: scope), scalar(1)], line)
    let shaped = scope.emit(
      "Reshape", [places, vector([Int](repeating: 1, count: rank - 2) + [-1, 1], in: scope)], line)
    let first = scope.firstChannel(of: operand.value)
    let sizes = scope.emit("Shape", [first], .tensor(.int64, [Dimension(rank)]))
    let indices = scope.emit("Expand", [shaped, sizes], tokens)
    let step = scope.cast(try lower(.step, in: scope).value, to: .int64)
    let turn = scope.emit("Mul", [step, scalar(1_543)], number)
    let own = scope.cast(try lower(seed, in: scope).value, to: .int64)
    let key = modulo(scope.emit("Add", [turn, own], number), number)
    var b = modulo(indices, tokens)
    var a = modulo(
      scope.emit("Div", [scope.emit("Sub", [indices, b], tokens), prime], tokens), tokens)
    for round in 0..<4 {
      let own = scope.emit("Add", [key, scalar(1_009 * round)], number)
      let mixed = modulo(scope.emit("Add", [b, own], tokens), tokens)
      let square = modulo(scope.emit("Mul", [mixed, mixed], tokens), tokens)
      let cube = modulo(scope.emit("Mul", [square, mixed], tokens), tokens)
      (a, b) = (b, modulo(scope.emit("Add", [a, cube], tokens), tokens))
    }
    let high = scope.emit("Mul", [a, prime], tokens)
    let whole = scope.cast(scope.emit("Add", [high, b], tokens), to: .float32)
    let size = scope.graph.constant([Float(2_039 * 2_039)], shape: .scalar)
    let result = TensorType(.float32, type.shape)
    return Operand(
      value: scope.emit("Div", [whole, size], .tensor(result)), kind: .tensor, type: result)
  }
}
