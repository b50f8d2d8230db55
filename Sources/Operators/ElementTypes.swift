import GraphIR
import Tensors

/// The element types that an operator allows.
enum ElementTypes: String {
  case floatingPoint = "floating-point numbers"
  case integers
  case numbers
  case bool = "truth values"
  case numbersOrBool = "numbers or truth values"

  /// True for a type that the operator allows.
  func contains(_ type: DataType) -> Bool {
    switch self {
    case .floatingPoint: type.isFloatingPoint
    case .integers: type.isInteger
    case .numbers: type.isFloatingPoint || type.isInteger
    case .bool: type == .bool
    case .numbersOrBool: type.isFloatingPoint || type.isInteger || type == .bool
    }
  }

  /// Refuses a known type that the operator does not allow.
  func require(_ type: DataType?, operand position: Int) throws(OperatorError) {
    guard let type, !contains(type) else { return }
    throw .badOperands("operand \(position) is \(type), \(rawValue) are expected")
  }
}

extension Array where Element == ValueFact? {
  /// What is known of a tensor operand; an operand that is missing or no tensor is an error.
  func tensorType(_ position: Int) throws(OperatorError) -> TensorType {
    switch try required(position).type {
    case .unknown: return TensorType(nil, nil)
    case .tensor(let type): return type
    case let other: throw .badOperands("operand \(position) is \(other), a tensor is expected")
    }
  }

  /// What is known of the elements of a sequence operand; one that is no sequence is an error.
  func elementType(ofSequence position: Int) throws(OperatorError) -> ValueType {
    switch try required(position).type {
    case .unknown: return .unknown
    case .sequence(let element): return element
    case let other:
      throw .badOperands("operand \(position) is \(other), a sequence is expected")
    }
  }

  /// What is known of a tensor operand that may be absent.
  func optionalTensorType(_ position: Int) throws(OperatorError) -> TensorType? {
    optional(position) == nil ? nil : try tensorType(position)
  }

  /// The element type that operands share, nil while unknown; two different ones are an error.
  ///
  /// Absent operands are skipped.
  func sharedDataType(
    _ allowed: ElementTypes, of positions: some Sequence<Int>
  ) throws(OperatorError) -> DataType? {
    var shared: DataType?
    for position in positions {
      guard let type = try optionalTensorType(position)?.dataType else { continue }
      try allowed.require(type, operand: position)
      if let shared, shared != type {
        throw .badOperands("operand \(position) is \(type), but an earlier one is \(shared)")
      }
      shared = type
    }
    return shared
  }
}
