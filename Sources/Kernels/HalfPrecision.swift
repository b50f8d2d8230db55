import Tensors

/// Arithmetic on `float16` and `bfloat16`: computed in `float32`, then rounded to nearest even.
enum HalfPrecision {
  /// A `float32` copy of a half-precision tensor; any other tensor itself.
  static func widened(_ tensor: Tensor) throws(KernelError) -> Tensor {
    guard tensor.dataType == .float16 || tensor.dataType == .bfloat16 else { return tensor }
    return try Casting.cast(tensor, to: .float32)
  }

  /// Calls `body` with a `float32` tensor of the shape of `output` and rounds it into `output`.
  static func compute(
    _ output: Tensor, _ body: (Tensor) throws(KernelError) -> Void
  ) throws(KernelError) {
    let wide = try Copying.makeTensor(.float32, output.shape)
    try body(wide)
    try Casting.cast(wide, into: output)
  }
}
