import GraphIR
import ModelStructure
import ScheduleLanguage
import Tensors

/// Writes expressions as ONNX operators.
struct ExpressionLowering {
  /// What a leaf stands for in a scope.
  typealias Leaf = (Expression, GraphScope) throws -> Operand

  /// The rule and site, for errors.
  let place: String
  /// Whether a tensor slot has its size even while it holds nothing, so that reading it is harmless.
  ///
  /// Both branches of a condition are computed then, and one is taken: OpenVINO 2026.4 takes the wrong
  /// branch of an If inside an If.
  let hasFixedSize: (String) -> Bool
  /// The grid of the site's tokens; nil where they are none of the latents'.
  let grid: () throws -> TokenGrid?
  let leaf: Leaf

  /// Appends the operators of an expression to a scope; what is there already is used again.
  func lower(_ expression: Expression, in scope: GraphScope) throws -> Operand {
    if let operand = scope.operand(of: expression) { return operand }
    let operand = try made(expression, in: scope)
    scope.known[expression] = operand
    return operand
  }

  private func made(_ expression: Expression, in scope: GraphScope) throws -> Operand {
    switch expression {
    case .boolean(let value):
      return Operand(value: scope.graph.constant([value], shape: .scalar), kind: .boolean)
    case .integer(let value):
      return Operand(value: scope.graph.constant([Int64(value)], shape: .scalar), kind: .integer)
    case .number(let value):
      return Operand(value: scope.graph.constant([Float(value)], shape: .scalar), kind: .number)
    case .control, .site, .tap, .held, .slot, .updated, .parameter, .body:
      return try leaf(expression, scope)
    case .not(let operand):
      let value = try lower(operand, in: scope).value
      return scalar(scope.emit("Not", [value], .tensor(.bool, [])), .boolean)
    case .binary(let operation, let left, let right):
      return try binary(
        operation, try lower(left, in: scope), try lower(right, in: scope), in: scope)
    case .member(let operand, let list):
      return member(try lower(operand, in: scope), list, in: scope)
    case .conditional(let condition, let then, let other):
      return try conditional(condition, then, other, in: scope)
    case .call(let function, let operands) where function.isSelection:
      guard case .integer(let count)? = operands.last else {
        throw unsupported("'\(function.rawValue)' of a computed number of tokens")
      }
      let whole = try lower(operands[0], in: scope)
      return function == .lowFrequencies
        ? try lowFrequencies(of: whole, count, in: scope)
        : try selection(function, of: whole, count, in: scope)
    case .call(let function, let operands) where function.tokenOperands != nil:
      return try tokens(function, of: operands, in: scope)
    case .call(let function, let operands):
      return try call(function, operands.map { try lower($0, in: scope) }, in: scope)
    case .table(let list, let index): return table(list, try lower(index, in: scope), in: scope)
    }
  }

  func scalar(_ value: ValueID, _ kind: Operand.Kind) -> Operand {
    Operand(value: value, kind: kind)
  }

  // MARK: - Arithmetic

  private static let operators: [Expression.BinaryOperator: OpKey] = [
    .add: "Add", .subtract: "Sub", .multiply: "Mul", .divide: "Div", .and: "And", .or: "Or",
    .equal: "Equal", .notEqual: "Equal", .less: "Less", .lessOrEqual: "LessOrEqual",
    .greater: "Greater", .greaterOrEqual: "GreaterOrEqual", .modulo: "Mod",
  ]

  private func binary(
    _ operation: Expression.BinaryOperator, _ left: Operand, _ right: Operand,
    in scope: GraphScope
  ) throws -> Operand {
    let (a, b) = matched(left, right, isDivision: operation == .divide, in: scope)
    guard let op = Self.operators[operation] else { throw unsupported(operation.rawValue) }
    if operation == .modulo, a.kind == .number {
      let quotient = scope.emit("Div", [a.value, b.value], a.valueType)
      let whole = scope.emit("Floor", [quotient], a.valueType)
      let product = scope.emit("Mul", [whole, b.value], a.valueType)
      return scalar(scope.emit("Sub", [a.value, product], a.valueType), .number)
    }
    if operation.isComparison {
      let value = scope.emit(op, [a.value, b.value], .tensor(.bool, []))
      guard operation == .notEqual else { return scalar(value, .boolean) }
      return scalar(scope.emit("Not", [value], .tensor(.bool, [])), .boolean)
    }
    var result = a.kind == .tensor ? a : b
    if a.kind == .tensor, b.kind == .tensor { result.type.shape = try broadcast(a.type, b.type) }
    result.value = scope.emit(op, [a.value, b.value], result.valueType)
    return result
  }

  /// The shape of two tensors put together, aligned at their last axes.
  private func broadcast(_ a: TensorType, _ b: TensorType) throws -> [Dimension]? {
    guard var shape = a.shape, var other = b.shape else { return nil }
    if shape.count < other.count { swap(&shape, &other) }
    let offset = shape.count - other.count
    for axis in other.indices {
      let (own, size) = (shape[axis + offset], other[axis])
      if own == 1 {
        shape[axis + offset] = size
      } else if let known = own.value, let size = size.value, size != 1, size != known {
        throw CacheRewriteError(
          "shapes-differ", at: place,
          "the rule combines tensors of \(known) and \(size) at axis \(axis + offset) of \(shape)",
          hint: "a stream of another family of blocks may have other tokens; "
            + "give the rule one of the site's own, such as 'base: input'")
      }
    }
    return shape
  }

  /// Two operands of one element type: whole numbers give way to real ones, scalars to tensors, and
  /// tensors of different types meet in float32.
  ///
  /// A site may take its stream in one type and hand it on in another: half-precision models add
  /// residuals in float32.
  func matched(
    _ a: Operand, _ b: Operand, isDivision: Bool, in scope: GraphScope
  ) -> (Operand, Operand) {
    var (a, b) = (a, b)
    let dataType: DataType
    if a.kind == .tensor {
      dataType = b.kind == .tensor && a.dataType != b.dataType ? .float32 : a.dataType
    } else if b.kind == .tensor {
      dataType = b.dataType
    } else if a.kind == b.kind, !(isDivision && a.kind == .integer) {
      return (a, b)
    } else {
      dataType = .float32
    }
    func convert(_ operand: inout Operand) {
      operand.value = scope.cast(operand.value, to: dataType)
      if operand.kind == .integer { operand.kind = .number }
      if operand.kind == .tensor { operand.type.dataType = dataType }
    }
    convert(&a)
    convert(&b)
    return (a, b)
  }

  private func member(_ operand: Operand, _ list: [Int], in scope: GraphScope) -> Operand {
    guard !list.isEmpty else {
      return scalar(scope.graph.constant([false], shape: .scalar), .boolean)
    }
    let count: ValueType = .tensor(.bool, [Dimension(list.count)])
    let elements =
      operand.kind == .integer
      ? scope.graph.constant(list.map { Int64($0) }, shape: .vector(list.count))
      : scope.graph.constant(list.map { Float($0) }, shape: .vector(list.count))
    let equal = scope.emit("Equal", [operand.value, elements], count)
    let numbers = scope.emit(
      "Cast", [equal], [Attribute("to", .int(Int(DataType.int32.rawValue)))],
      .tensor(.int32, [Dimension(list.count)]))
    let largest = scope.emit(
      "ReduceMax", [numbers], [Attribute("keepdims", .int(0))], .tensor(.int32, []))
    return scalar(scope.cast(largest, to: .bool), .boolean)
  }

  private func table(_ list: [Double], _ index: Operand, in scope: GraphScope) -> Operand {
    var place = index.value
    if index.kind != .integer {
      place = scope.cast(scope.emit("Floor", [place], index.valueType), to: .int64)
    }
    let zero = scope.graph.constant([Int64(0)], shape: .scalar)
    let last = scope.graph.constant([Int64(list.count - 1)], shape: .scalar)
    place = scope.emit("Max", [place, zero], .tensor(.int64, []))
    place = scope.emit("Min", [place, last], .tensor(.int64, []))
    let elements = scope.graph.constant(list.map { Float($0) }, shape: .vector(list.count))
    return scalar(scope.emit("Gather", [elements, place], .tensor(.float32, [])), .number)
  }

  // MARK: - Conditions

  /// An If where a branch reads tensors, else both branches and a choice.
  private func conditional(
    _ condition: Expression, _ then: Expression, _ other: Expression, in scope: GraphScope
  ) throws -> Operand {
    if condition == .control(.valid), scope.isReady { return try lower(then, in: scope) }
    let test = try lower(condition, in: scope)
    let readsTensors = [then, other].contains { branch in
      branch.parts.contains { part in
        switch part {
        case .site, .tap, .held, .slot, .body: true
        default: false
        }
      }
    }
    let impliesReady = condition.conjuncts.contains(.control(.valid))
    guard readsTensors, !isHarmless(then) || !isHarmless(other) else {
      let (a, b) = matched(
        try lower(then, in: scope), try lower(other, in: scope), isDivision: false, in: scope)
      if a.kind == .boolean {
        let no = scope.emit("Not", [test.value], .tensor(.bool, []))
        let first = scope.emit("And", [test.value, a.value], .tensor(.bool, []))
        let second = scope.emit("And", [no, b.value], .tensor(.bool, []))
        return scalar(scope.emit("Or", [first, second], .tensor(.bool, [])), .boolean)
      }
      return selected(test.value, a, b, in: scope)
    }
    return try choice(
      test.value, in: scope, isReady: impliesReady,
      shapes: then.shapeLeaves + other.shapeLeaves,
      then: { try lower(then, in: $0) }, else: { try lower(other, in: $0) })
  }

  /// One of two numbers or tensors of the same element type.
  func selected(
    _ test: ValueID, _ then: Operand, _ other: Operand, in scope: GraphScope
  ) -> Operand {
    var (result, b) = matched(then, other, isDivision: false, in: scope)
    let values = [test, result.value, b.value]
    if result.kind != .tensor { swap(&result, &b) }
    result.value = scope.emit("Where", values, result.valueType)
    return result
  }

  /// Whether an expression costs little and can be read whatever the slots hold.
  func isHarmless(_ expression: Expression) -> Bool {
    !expression.runsBodies
      && expression.parts.allSatisfy { part in
        if case .slot(let name) = part { hasFixedSize(name) } else { true }
      }
  }

  /// An If of two branches that give one value of the same type; `shapes` are what a number beside a
  /// tensor takes its shape from.
  func choice(
    _ test: ValueID, in scope: GraphScope, isReady: Bool, shapes: [Expression] = [],
    then: (GraphScope) throws -> Operand, else other: (GraphScope) throws -> Operand
  ) throws -> Operand {
    let yes = GraphScope(inside: scope, isReady: isReady)
    let no = GraphScope(inside: scope, isReady: false)
    var (a, b) = (try then(yes), try other(no))
    if a.kind == .tensor, b.kind != .tensor {
      b = try spread(b, like: a.type, in: no, reference: try shapeReference(shapes, in: no))
    } else if b.kind == .tensor, a.kind != .tensor {
      a = try spread(a, like: b.type, in: yes, reference: try shapeReference(shapes, in: yes))
    } else if a.kind != b.kind {
      a.value = yes.cast(a.value, to: .float32)
      b.value = no.cast(b.value, to: .float32)
      (a.kind, b.kind) = (.number, .number)
    }
    yes.addOutput(a.value, name: "chosen")
    no.addOutput(b.value, name: "chosen")
    var result = a
    result.value = scope.emit(
      "If", [test],
      [
        Attribute("then_branch", .graph(yes.subgraph)),
        Attribute("else_branch", .graph(no.subgraph)),
      ], a.valueType)
    return result
  }

  /// A scalar as a tensor of the shape of another.
  func spread(
    _ operand: Operand, like type: TensorType, in scope: GraphScope, reference: ValueID
  ) throws -> Operand {
    let rank = graphRank(of: reference, in: scope)
    let shape = scope.emit("Shape", [reference], .tensor(.int64, rank.map { [Dimension($0)] }))
    let value = scope.cast(operand.value, to: type.dataType ?? .float32)
    return Operand(
      value: scope.emit("Expand", [value, shape], .tensor(type)), kind: .tensor, type: type)
  }

  private func graphRank(of value: ValueID, in scope: GraphScope) -> Int? {
    scope.graph.tensorType(of: value)?.shape?.count
  }

  /// The first of some leaves that is a tensor: what a branch reads is there before it is chosen,
  /// unlike the site's output.
  private func shapeReference(_ shapes: [Expression], in scope: GraphScope) throws -> ValueID {
    for shape in shapes {
      let operand = try lower(shape, in: scope)
      if operand.kind == .tensor { return operand.value }
    }
    throw unsupported("a number beside a tensor of unknown shape")
  }
}
