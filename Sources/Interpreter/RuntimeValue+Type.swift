import GraphIR
import Operators
import Tensors

extension RuntimeValue {
  /// The type; that of a sequence's elements only when they all have the same.
  var actualType: ValueType {
    switch self {
    case .tensor(let tensor): return .tensor(TensorType(tensor.dataType, tensor.shape))
    case .sequence(let values):
      let types = Set(values.map(\.actualType))
      return .sequence(types.count == 1 ? types.first ?? .unknown : .unknown)
    case .absent: return .optional(.unknown)
    }
  }

  /// The type in words, such as `float32[2, 3]`.
  var typeText: String {
    switch self {
    case .tensor, .sequence: actualType.description
    case .absent: "absent"
    }
  }
}
