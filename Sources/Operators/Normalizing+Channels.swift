import GraphIR
import Kernels
import Tensors

extension Normalizing {
  /// The fact of operand 0, [batch, channels, …], normalised per channel or group; the other two
  /// operands have `parameters` elements, or one for each channel.
  static func inferChannels(
    _ inputs: [ValueFact?], parameters: Int?
  ) throws(OperatorError) -> ValueFact {
    let dataType = try inputs.sharedDataType(.floatingPoint, of: 0...2)
    guard let shape = try inputs.tensorType(0).shape else { return ValueFact(dataType, nil) }
    guard shape.count >= 2 else {
      throw .badOperands("operand 0 of shape \(shape) has no channels")
    }
    let expected = parameters ?? shape[1].value
    for position in 1...2 {
      guard let own = try inputs.tensorType(position).shape else { continue }
      let fits = own.count == 1 && (own[0].value == nil || own[0].value == expected ?? own[0].value)
      guard fits else {
        throw .badOperands("operand \(position) of shape \(own) does not fit \(shape[1]) channels")
      }
    }
    return ValueFact(dataType, shape)
  }

  /// Normalises groups of neighbouring channels, then scales and shifts.
  static func normalizeChannels(
    _ inputs: [RuntimeValue?], groups: Int, _ epsilon: Float, _ context: any RunContext
  ) throws(OperatorError) -> Tensor {
    let x = try inputs.tensor(0).contiguous()
    let (scale, bias) = (try inputs.tensor(1), try inputs.tensor(2))
    let (batch, channels) = (x.shape[0], x.shape[1])
    let inner = x.shape.dimensions[2...].reduce(1, *)
    guard x.elementCount > 0 else { return x }
    let rows = try Shape.checked([batch * groups, channels / groups * inner])
    let columns = scale.elementCount
    let parts = try Shape.checked([batch, columns, channels / columns * inner])
    return try context.tensor(x.dataType, x.shape) { output throws(KernelError) in
      try Normalization.layerNorm(
        x.view(shape: rows, strides: rows.rowMajorStrides), axis: 1, scale: nil, bias: nil,
        epsilon: epsilon, into: output.view(shape: rows, strides: rows.rowMajorStrides))
      let target = output.view(shape: parts, strides: parts.rowMajorStrides)
      try Elementwise.binary(.multiply, target, scale.column(columns, parts), into: target)
      try Elementwise.binary(.add, target, bias.column(columns, parts), into: target)
    }
  }
}

extension Tensor {
  /// A vector repeated along the first and last of three axes.
  fileprivate func column(_ count: Int, _ shape: Shape) -> Tensor {
    view(shape: shape, strides: [0, strides[0], 0])
  }
}
