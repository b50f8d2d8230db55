import GraphIR
import Kernels
import Tensors

/// What the operators that normalise have in common.
enum Normalizing {
  /// Reads `stash_type`, the type of the statistics: float32 or one that float32 covers.
  static func requireFloatStatistics(_ node: inout NodeReader) throws(OperatorError) {
    let code = try node.int("stash_type", default: Int(DataType.float32.rawValue))
    let covered: [DataType] = [.float32, .float16, .bfloat16]
    guard covered.contains(where: { Int($0.rawValue) == code }) else {
      throw .unsupported("attribute 'stash_type' is \(code), statistics are gathered in float32")
    }
  }

  /// The fact of operand 0 normalised over the axes from `axis` on, the other operands being
  /// parameters that broadcast to those axes.
  static func infer(_ inputs: [ValueFact?], axis: Int) throws(OperatorError) -> ValueFact {
    let dataType = try inputs.sharedDataType(.floatingPoint, of: inputs.indices)
    guard let shape = try inputs.tensorType(0).shape else { return ValueFact(dataType, nil) }
    let trailing = Array(shape[try Axes.normalize(axis, rank: shape.count)...])
    for position in inputs.indices.dropFirst() {
      guard let parameter = try inputs.optionalTensorType(position)?.shape else { continue }
      let fits =
        parameter.count <= trailing.count
        && zip(parameter.reversed(), trailing.reversed()).allSatisfy { own, whole in
          own.value == nil || whole.value == nil || own == 1 || own == whole
        }
      guard fits else {
        throw .badOperands(
          "operand \(position) of shape \(parameter) does not broadcast to the normalised axes "
            + "\(trailing)")
      }
    }
    return ValueFact(dataType, shape)
  }

  /// The mean along axes and 1 / √(variance + epsilon), in float32, with the axes kept.
  static func statistics(
    _ x: Tensor, axes: [Int], _ epsilon: Float, _ context: any RunContext
  ) throws(OperatorError) -> (mean: Tensor, factor: Tensor) {
    let wide = try x.cast(to: .float32, context)
    var dimensions = x.shape.dimensions
    for axis in axes { dimensions[axis] = 1 }
    let shape = try Shape.checked(dimensions)
    let mean = try context.tensor(.float32, shape) { (output) throws(KernelError) in
      try Reduction.reduce(.mean, wide, axes: axes, into: output)
    }
    let squares = try context.tensor(.float32, x.shape) { (output) throws(KernelError) in
      try Elementwise.binary(.subtract, wide, mean, into: output)
      try Elementwise.binary(.multiply, output, output, into: output)
    }
    let factor = try context.tensor(.float32, shape) { (output) throws(KernelError) in
      try Reduction.reduce(.mean, squares, axes: axes, into: output)
      try Elementwise.binary(.add, output, Tensor(scalar: epsilon), into: output)
      try Elementwise.unary(.squareRoot, output, into: output)
      try Elementwise.unary(.reciprocal, output, into: output)
    }
    return (mean, factor)
  }

  /// The axes before `axis` as one and those from it on as another: how Softmax and its relatives
  /// see a tensor before opset 13.
  static func flattened(_ shape: Shape, at axis: Int) throws(OperatorError) -> Shape {
    let rows = shape.dimensions[..<axis].reduce(1, *)
    let columns = shape.dimensions[axis...].reduce(1, *)
    return try Shape.checked([rows, columns])
  }
}
