import GraphIR
import Tensors

/// The axis of Softmax and its relatives, whose meaning changed in opset 13.
struct SoftmaxAxis {
  private let axis: Int
  private let flattens: Bool

  /// Reads `axis`.
  init(_ node: inout NodeReader) throws(OperatorError) {
    flattens = node.opset < 13
    axis = try node.int("axis", default: flattens ? 1 : -1)
  }

  /// The fact of the result, which is that of the operand.
  func infer(_ inputs: [ValueFact?]) throws(OperatorError) -> ValueFact {
    let type = try inputs.tensorType(0)
    try ElementTypes.floatingPoint.require(type.dataType, operand: 0)
    if let shape = type.shape { _ = try normalized(rank: shape.count) }
    return ValueFact(.tensor(type))
  }

  /// The operand as a tensor of which one axis is to be normalised, and that axis.
  func view(of tensor: Tensor) throws(OperatorError) -> (view: Tensor, axis: Int) {
    let axis = try normalized(rank: tensor.rank)
    guard flattens, axis < tensor.rank - 1 || axis == tensor.rank else { return (tensor, axis) }
    let shape = try Normalizing.flattened(tensor.shape, at: axis)
    return (tensor.contiguous().view(shape: shape, strides: shape.rowMajorStrides), 1)
  }

  /// Where flattening cuts, `axis` may also be the rank.
  private func normalized(rank: Int) throws(OperatorError) -> Int {
    flattens && axis == rank ? rank : try Axes.normalize(axis, rank: rank)
  }
}
