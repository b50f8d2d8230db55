import GraphIR
import Kernels
import Tensors

/// [Compress](https://onnx.ai/onnx/operators/onnx__Compress.html): the slices along an axis, or the
/// elements, for which a condition holds.
struct Compress: Operator {
  static let key: OpKey = "Compress"
  static let versions = 9...24

  private let axis: Int?

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...2)
    axis = try node.int("axis")
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let type = try inputs.tensorType(0)
    try ElementTypes.bool.require(try inputs.tensorType(1).dataType, operand: 1)
    guard let axis else { return [ValueFact(type.dataType, [context.makeSymbol()])] }
    guard var shape = type.shape else { return [ValueFact(type.dataType, nil)] }
    shape[try Axes.normalize(axis, rank: shape.count)] = context.makeSymbol()
    return [ValueFact(type.dataType, shape)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let operand = try inputs.tensor(0)
    let x =
      axis == nil
      ? try operand.reshaped(to: .checked([operand.elementCount]), context) : operand
    let axis = try Axes.normalize(axis ?? 0, rank: x.rank)
    let flags = try inputs.integers(1) ?? []
    guard flags.count <= x.shape[axis] else {
      throw .badOperands("\(flags.count) conditions for an axis of size \(x.shape[axis])")
    }
    let indices = flags.indices.filter { flags[$0] != 0 }
    var dimensions = x.shape.dimensions
    dimensions[axis] = indices.count
    let result = try context.tensor(x.dataType, .checked(dimensions)) {
      (output) throws(KernelError) in
      try Indexing.gather(x, axis: axis, indices, into: output)
    }
    return [.tensor(result)]
  }
}
