import GraphIR
import Tensors

/// An elementwise operation on small integer or bool tensors whose elements are known expressions.
///
/// This is how sizes computed inside a graph are followed while types are inferred.
enum ElementArithmetic {
  case add, subtract, multiply
  /// The quotient rounded towards zero, as ONNX's integer `Div`.
  case divide
  /// The remainder with the sign of the divisor, as `Mod` with `fmod = 0`.
  case modulo
  /// The remainder with the sign of the dividend, as `Mod` with `fmod = 1`.
  case remainder
  case minimum, maximum
  case equal, less, lessOrEqual, greater, greaterOrEqual
  case and, or

  /// The elements of the result, or nil when an operand or a result is not a known expression.
  ///
  /// Operands broadcast; more than two are combined from the left.
  func elements(_ operands: [ValueFact?]) -> [Dimension]? {
    var parts: [(shape: Shape, elements: [Dimension])] = []
    for operand in operands {
      guard let operand, let shape = operand.type.tensor?.concreteShape,
        let elements = operand.elements, elements.count == shape.elementCount
      else { return nil }
      parts.append((shape, elements))
    }
    guard var total = parts.first else { return nil }
    for part in parts.dropFirst() {
      guard let shape = total.shape.broadcast(with: part.shape),
        shape.elementCount <= ValueFact.maximumElements
      else { return nil }
      var result: [Dimension] = []
      for position in 0..<shape.elementCount {
        let a = total.elements[Self.source(of: position, in: shape, from: total.shape)]
        let b = part.elements[Self.source(of: position, in: shape, from: part.shape)]
        guard let element = apply(a, b) else { return nil }
        result.append(element)
      }
      total = (shape, result)
    }
    return total.elements
  }

  /// The result for one pair, or nil when it is not a known expression.
  func apply(_ a: Dimension, _ b: Dimension) -> Dimension? {
    switch self {
    case .add: a + b
    case .subtract: a - b
    case .multiply: a * b
    case .divide: Self.quotient(a, b)
    case .modulo: a.floorDivided(by: b).map { a - b * $0 }
    case .remainder: Self.quotient(a, b).map { a - b * $0 }
    case .minimum: Self.extremum("min", a, b) { $0 <= 0 }
    case .maximum: Self.extremum("max", a, b) { $0 >= 0 }
    case .equal: (a - b).sign.map { Dimension($0 == 0 ? 1 : 0) } ?? Self.cannotBeEqual(a, b)
    case .less: Self.compare(b - a, strictly: true)
    case .lessOrEqual: Self.compare(b - a, strictly: false)
    case .greater: Self.compare(a - b, strictly: true)
    case .greaterOrEqual: Self.compare(a - b, strictly: false)
    case .and: Self.logic(a, b, decisive: 0)
    case .or: Self.logic(a, b, decisive: 1)
    }
  }

  /// The row-major position in `operand` of what broadcasts to a position of `shape`.
  private static func source(of position: Int, in shape: Shape, from operand: Shape) -> Int {
    var rest = position
    var result = 0
    let strides = operand.rowMajorStrides
    for axis in stride(from: shape.rank - 1, through: 0, by: -1) {
      let index = rest % shape[axis]
      rest /= shape[axis]
      let own = axis - (shape.rank - operand.rank)
      if own >= 0, operand[own] != 1 { result += index * strides[own] }
    }
    return result
  }

  /// A quotient of sizes is exact or rounds down, which for them is towards zero.
  private static func quotient(_ a: Dimension, _ b: Dimension) -> Dimension? {
    if let a = a.value, let b = b.value {
      guard b != 0 else { return nil }
      let (quotient, overflow) = a.dividedReportingOverflow(by: b)
      return overflow ? nil : Dimension(quotient)
    }
    guard let quotient = a.floorDivided(by: b) else { return nil }
    if quotient * b == a || a.isCertainlyNotNegative && b.isCertainlyNotNegative { return quotient }
    return Dimension(symbol: "trunc((\(a))/(\(b)))")
  }

  private static func extremum(
    _ name: String, _ a: Dimension, _ b: Dimension, firstWins: (Int) -> Bool
  ) -> Dimension {
    let difference = a - b
    if let difference = difference.value { return firstWins(difference) ? a : b }
    if difference.isCertainlyNotNegative { return firstWins(1) ? a : b }
    if (b - a).isCertainlyNotNegative { return firstWins(-1) ? a : b }
    let operands = [a.description, b.description].sorted()
    return Dimension(symbol: "\(name)(\(operands[0]), \(operands[1]))")
  }

  private static func cannotBeEqual(_ a: Dimension, _ b: Dimension) -> Dimension? {
    let strictlyApart =
      (a - b - 1).isCertainlyNotNegative || (b - a - 1).isCertainlyNotNegative
    return strictlyApart ? 0 : nil
  }

  /// Whether a difference is above zero, or not below it.
  private static func compare(_ difference: Dimension, strictly: Bool) -> Dimension? {
    if let sign = difference.sign { return sign > 0 || sign == 0 && !strictly ? 1 : 0 }
    if (strictly ? difference - 1 : difference).isCertainlyNotNegative { return 1 }
    let opposite = Dimension(0) - difference
    return (strictly ? opposite : opposite - 1).isCertainlyNotNegative ? 0 : nil
  }

  private static func logic(_ a: Dimension, _ b: Dimension, decisive: Int) -> Dimension? {
    if a.value == decisive || b.value == decisive { return Dimension(decisive) }
    guard let a = a.value, let b = b.value else { return nil }
    return Dimension(decisive == 0 ? min(a, b) : max(a, b))
  }
}

extension Dimension {
  /// The sign of a known size: -1, 0 or 1.
  fileprivate var sign: Int? { value?.signum() }

  /// True when no sizes of the symbols make the expression negative.
  ///
  /// Symbols are sizes, but an opaque one with a minus in its text may stand for anything.
  var isCertainlyNotNegative: Bool {
    constant >= 0 && terms.allSatisfy { $0.coefficient > 0 && !$0.symbol.contains("-") }
  }
}
