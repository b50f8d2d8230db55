import GraphIR
import Operators
import Rewrite
import Tensors

extension MatchContext {
  /// The operand at a position, or nil where it is absent.
  func operand(_ node: NodeID, _ position: Int) -> ValueID? {
    let inputs = graph[node].inputs
    return position < inputs.count ? inputs[position] : nil
  }

  /// The result of a node that has one.
  func result(_ node: NodeID) -> ValueID? {
    let results = graph[node].outputs.compactMap { $0 }
    return results.count == 1 ? results[0] : nil
  }

  /// The concrete shape of a value.
  func shape(_ value: ValueID?) -> [Int]? {
    value.flatMap { graph.tensorType(of: $0)?.concreteShape?.dimensions }
  }

  /// The element type of a value.
  func dataType(_ value: ValueID?) -> DataType? {
    value.flatMap { graph.tensorType(of: $0)?.dataType }
  }

  /// The value as a number, when it is a known constant of one element.
  func number(_ value: ValueID?) -> Float? {
    guard let value, let tensor = constant(value), tensor.elementCount == 1,
      tensor.dataType.isFloatingPoint, let wide = try? tensor.converted(to: .float32)
    else { return nil }
    return wide.pointer(as: Float.self).pointee
  }

  /// True when a value is a number near `due`, as near as its type can tell.
  func isNear(_ value: ValueID?, _ due: Float) -> Bool {
    let epsilon: Float =
      switch dataType(value) {
      case .float16: 0x1p-10
      case .bfloat16: 0x1p-7
      default: 1e-5
      }
    return number(value).map { abs($0 - due) < epsilon * max(due, 1e-2) } ?? false
  }

  /// The value as integers, when they are known.
  func integers(_ value: ValueID?) -> [Int]? {
    value.flatMap { constant($0)?.integers() }
  }

  /// The only node that reads a value that is no output of the graph.
  func soleUser(_ value: ValueID) -> NodeID? {
    let users = uses.users(of: value)
    guard users.count == 1, !uses.isOutput(value) else { return nil }
    return users[0]
  }

  /// The operand of a two-operand node that is not `value`; nil when both are.
  func partner(of value: ValueID, in node: NodeID) -> ValueID? {
    let (a, b) = (operand(node, 0), operand(node, 1))
    return a == value ? (b == value ? nil : b) : a
  }

  /// The value before nodes that only pass it on.
  func source(of value: ValueID?) -> ValueID? {
    var value = value
    while let node = producer(of: value, "Identity") { value = operand(node, 0) }
    return value
  }

  /// The `float16` or `bfloat16` value that a Cast to `float32` makes another of; else that itself.
  func beforeWidening(_ value: ValueID?) -> ValueID? {
    guard let node = producer(of: value, "Cast"), dataType(value) == .float32,
      let source = operand(node, 0), dataType(source)?.isHalf == true
    else { return value }
    return source
  }

  /// The `float32` value that a Cast to `float16` or `bfloat16` rounds to another; else that itself.
  func beforeRounding(_ value: ValueID?) -> ValueID? {
    guard let node = producer(of: value, "Cast"), dataType(value)?.isHalf == true,
      let source = operand(node, 0), dataType(source) == .float32
    else { return value }
    return source
  }

  /// The only reader of a value, when it is a Cast from a half type to `float32`.
  func widening(of value: ValueID) -> NodeID? {
    dataType(value)?.isHalf == true ? soleCast(of: value) { $0 == .float32 } : nil
  }

  /// The only reader of a `float32` value, when it is a Cast to a half type.
  func rounding(of value: ValueID) -> NodeID? {
    dataType(value) == .float32 ? soleCast(of: value) { $0.isHalf } : nil
  }

  private func soleCast(of value: ValueID, to isDue: (DataType) -> Bool) -> NodeID? {
    guard let node = soleUser(value), graph[node].op == "Cast",
      let type = dataType(result(node)), isDue(type)
    else { return nil }
    return node
  }

  /// The attribute by which a fused operator gives results of another type than its operand's.
  func resultType(_ value: ValueID?, unlike operand: ValueID?) -> [Attribute] {
    guard let type = dataType(value), type != dataType(operand) else { return [] }
    return [Attribute("to", .int(Int(type.rawValue)))]
  }

  /// Declines a value of a type that fused operators do not compute.
  func requireFusible(_ value: ValueID?, _ what: String) throws(MatchFailure) {
    guard let type = dataType(value), type.isFusible else {
      throw .declined("\(what) \(dataType(value)?.description ?? "of unknown type")")
    }
  }

  /// The permutation of a Transpose; by default the axes are reversed.
  func permutation(_ node: NodeID) -> [Int]? {
    if case .ints(let order)? = graph[node].attribute("perm") { return order }
    guard let rank = shape(operand(node, 0))?.count else { return nil }
    return (0..<rank).reversed()
  }

  /// An integer attribute with a default.
  func integer(_ node: NodeID, _ name: String, default fallback: Int) -> Int {
    if case .int(let number)? = graph[node].attribute(name) { number } else { fallback }
  }

  /// True when the axes that a node reduces, or normalises, are the last one alone.
  func isLastAxis(_ axis: Int, ofRank rank: Int) -> Bool { axis == -1 || axis == rank - 1 }
}

extension Shape {
  /// True when a shape broadcasts to another without enlarging it.
  static func broadcasts(_ own: [Int], to other: [Int]) -> Bool {
    guard own.count <= other.count else { return false }
    return zip(own.reversed(), other.reversed()).allSatisfy { $0 == 1 || $0 == $1 }
  }
}
