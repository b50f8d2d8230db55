import GraphIR

/// Integers that older operator sets write as an attribute and newer ones as an operand.
struct OperandOrAttribute: Sendable {
  /// What typing knows of the integers.
  enum Fact: Hashable {
    /// Neither operand nor attribute is there.
    case absent
    /// The operand is there, its contents are not known.
    case unknown
    /// The numbers.
    case known([Int])
  }

  private let position: Int
  private let attribute: [Int]?

  /// True when the node has the operand or the attribute.
  let isPresent: Bool

  /// Reads the attribute of a node of an operator set before `version`; later ones have only the
  /// operand.
  init(
    _ name: String, at position: Int, operandSince version: Int, _ node: inout NodeReader
  ) throws(OperatorError) {
    self.position = position
    if node.opset < version {
      attribute = try node.ints(name)
      isPresent = attribute != nil
    } else {
      attribute = nil
      isPresent = node.hasInput(position)
    }
  }

  /// An operand that never was an attribute.
  init(operand position: Int, of node: NodeReader) {
    self.position = position
    attribute = nil
    isPresent = node.hasInput(position)
  }

  /// What is known while types are inferred.
  func fact(_ inputs: [ValueFact?]) -> Fact {
    if let attribute { return .known(attribute) }
    guard isPresent, let operand = inputs.optional(position) else { return .absent }
    return operand.integers.map { .known($0) } ?? .unknown
  }

  /// The integers as expressions, or nil when they are absent or not known.
  func dimensions(_ inputs: [ValueFact?]) -> [Dimension]? {
    if let attribute { return attribute.map { Dimension($0) } }
    return isPresent ? inputs.optional(position)?.elements : nil
  }

  /// The integers, or nil when they are absent.
  func value(_ inputs: [RuntimeValue?]) throws(OperatorError) -> [Int]? {
    if let attribute { return attribute }
    return isPresent ? try inputs.integers(position) : nil
  }
}
