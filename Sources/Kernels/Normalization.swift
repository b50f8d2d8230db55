import CVectorKernels
public import Tensors

/// Functions of whole rows: softmax and the norms.
///
/// Inputs are any views, outputs contiguous. Types are `float32`, `float64`, and `float16` and
/// `bfloat16` computed in `float32`; a norm may turn one of `float32`, `float16` and `bfloat16` into
/// another.
public enum Normalization {
  /// Softmax along one axis, after ONNX Softmax-13
  /// (https://onnx.ai/onnx/operators/onnx__Softmax.html).
  ///
  /// The maximum is subtracted first. A row that holds NaN or +∞, or nothing but -∞, gives NaN.
  public static func softmax(
    _ input: Tensor, axis: Int, into output: Tensor
  ) throws(KernelError) {
    precondition(input.shape == output.shape && output.isContiguous, "softmax keeps the shape")
    guard output.elementCount > 0 else { return }
    if output.dataType == .float64 {
      return try DoubleNormalization.softmax(input, axis: axis, into: output)
    }
    guard
      try isFloat32(
        "softmax", output,
        { (wide) throws(KernelError) in
          try softmax(HalfPrecision.widened(input), axis: axis, into: wide)
        })
    else { return }
    if axis == input.rank - 1 {
      let rows = try DenseRows(input, from: axis)
      let result = output.pointer(as: Float.self)
      rows.forEach(of: Float.self, operationsPerElement: 2) { row, elements in
        ditc_f32_softmax(elements, result + row * rows.length, rows.length)
      }
      return
    }
    var order = Array(0..<input.rank)
    order.append(order.remove(at: axis))
    let rows = try Copying.contiguous(input.permuted(order))
    let result = try Copying.makeTensor(.float32, rows.shape)
    try softmax(rows, axis: input.rank - 1, into: result)
    Copying.copy(result, into: output.permuted(order))
  }

  /// (x − mean) / √(variance + epsilon) · scale + bias over the axes from `axis` on, after ONNX
  /// LayerNormalization-17 (https://onnx.ai/onnx/operators/onnx__LayerNormalization.html).
  ///
  /// `scale` and `bias` broadcast to the normalised axes; nil is 1 and 0. A modulation follows if
  /// the last axis alone is normalised.
  public static func layerNorm(
    _ input: Tensor, axis: Int, scale: Tensor?, bias: Tensor?, epsilon: Float,
    modulation: Modulation? = nil, into output: Tensor
  ) throws(KernelError) {
    if output.dataType == .float64 {
      return try DoubleNormalization.normalize(
        input, axis: axis, scale: scale, bias: bias, epsilon: epsilon, isCentered: true,
        into: output)
    }
    try normalize("LayerNormalization", input, axis, scale, bias, modulation, output) {
      elements, length in
      let mean = Float(ditc_f32_sum(elements, length) / Double(length))
      let variance = ditc_f32_sum_of_squares(elements, mean, length) / Double(length)
      return (mean, Float(1 / (variance + Double(epsilon)).squareRoot()))
    }
  }

  /// x / √(mean of x² + epsilon) · scale over the axes from `axis` on, after ONNX
  /// RMSNormalization-23 (https://onnx.ai/onnx/operators/onnx__RMSNormalization.html).
  ///
  /// `scale` broadcasts to the normalised axes; nil is 1. A modulation follows if the last axis
  /// alone is normalised.
  public static func rmsNorm(
    _ input: Tensor, axis: Int, scale: Tensor?, epsilon: Float, modulation: Modulation? = nil,
    into output: Tensor
  ) throws(KernelError) {
    if output.dataType == .float64 {
      return try DoubleNormalization.normalize(
        input, axis: axis, scale: scale, bias: nil, epsilon: epsilon, isCentered: false,
        into: output)
    }
    try normalize("RMSNormalization", input, axis, scale, nil, modulation, output) {
      elements, length in
      let mean = ditc_f32_sum_of_squares(elements, 0, length) / Double(length)
      return (0, Float(1 / (mean + Double(epsilon)).squareRoot()))
    }
  }

  private static func normalize(
    _ name: String, _ input: Tensor, _ axis: Int, _ scale: Tensor?, _ bias: Tensor?,
    _ modulation: Modulation?, _ output: Tensor,
    _ statistics: (_ row: UnsafePointer<Float>, _ length: Int) -> (center: Float, factor: Float)
  ) throws(KernelError) {
    precondition(input.shape == output.shape && output.isContiguous, "\(name) keeps the shape")
    guard output.elementCount > 0 else { return }
    let trailing = Array(input.shape.dimensions[axis...])
    let factors = try expanded(scale, to: trailing)
    let addends = try expanded(bias, to: trailing)
    let modulation = try modulation?.rows(of: output.shape)
    let (scales, biases) = (
      factors?.pointer(as: Float.self), addends?.pointer(as: Float.self)
    )
    try WideRows(name, input, from: axis, into: output).forEach(operationsPerElement: 1) {
      row, elements, target, length in
      let (center, factor) = statistics(elements, length)
      ditc_f32_normalize(elements, center, factor, scales, biases, target, length)
      modulation?.apply(to: target, row, length)
    }
    withExtendedLifetime((factors, addends, modulation)) {}
  }

  /// A contiguous `float32` tensor with one element for each of a row.
  private static func expanded(
    _ parameter: Tensor?, to trailing: [Int]
  ) throws(KernelError) -> Tensor? {
    guard let parameter else { return nil }
    let wide = try HalfPrecision.widened(parameter)
    if wide.shape.dimensions == trailing { return try Copying.contiguous(wide) }
    let shape: Shape
    do { shape = try Shape(trailing) } catch { throw .tooLarge(error) }
    let result = try Copying.makeTensor(.float32, shape)
    Copying.copy(wide, into: result)
    return result
  }

  /// True for `float32`; half types are computed by `inFloat32`, others are an error.
  private static func isFloat32(
    _ name: String, _ output: Tensor, _ inFloat32: (Tensor) throws(KernelError) -> Void
  ) throws(KernelError) -> Bool {
    switch output.dataType {
    case .float32: return true
    case .float16, .bfloat16: try HalfPrecision.compute(output, inFloat32)
    default: throw .unsupported(name, output.dataType)
    }
    return false
  }
}
