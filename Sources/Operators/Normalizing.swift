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

  /// The axes before `axis` as one and those from it on as another: how Softmax and its relatives
  /// see a tensor before opset 13.
  static func flattened(_ shape: Shape, at axis: Int) throws(OperatorError) -> Shape {
    let rows = shape.dimensions[..<axis].reduce(1, *)
    let columns = shape.dimensions[axis...].reduce(1, *)
    return try Shape.checked([rows, columns])
  }
}
