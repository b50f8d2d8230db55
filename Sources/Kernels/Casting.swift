import CVectorKernels
public import Tensors

/// Conversions between element types, after ONNX Cast
/// (https://onnx.ai/onnx/operators/onnx__Cast.html).
///
/// - Floating point to integer truncates towards zero. What ONNX leaves undefined is defined here:
///   numbers out of range saturate, NaN becomes 0.
/// - Integer to integer keeps the low bits.
/// - Anything to floating point rounds to nearest, ties to even; overflow is an infinity.
/// - Anything to bool is `!= 0`, so NaN is true; bool to number is 0 or 1.
public enum Casting {
  /// Converts every element; both are any views of one shape.
  public static func cast(_ input: Tensor, into output: Tensor) throws(KernelError) {
    precondition(input.shape == output.shape, "\(input.shape) into \(output.shape)")
    if input.dataType == output.dataType { return Copying.copy(input, into: output) }
    guard output.isContiguous else {
      return try Copying.copy(cast(input, to: output.dataType), into: output)
    }
    guard output.elementCount > 0 else { return }
    let decode = try Decoder(input.dataType)
    let encode = try Encoder(output.dataType)
    let source = try Copying.contiguous(input)
    let (from, to) = (source.base, output.base)
    let (fromWidth, toWidth) = (input.dataType.byteCount, output.dataType.byteCount)
    Parallel.forEachPart(of: output.elementCount, operationsPerItem: 2, grain: 64) { range in
      withExtendedLifetime(source) {
        if let direct = directConversion(from: input.dataType, to: output.dataType) {
          direct(
            from + range.lowerBound * fromWidth, to + range.lowerBound * toWidth, range.count)
          return
        }
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: tileCount) { buffer in
          guard let tile = buffer.baseAddress else { return }
          for start in stride(from: range.lowerBound, to: range.upperBound, by: tileCount) {
            let count = Swift.min(tileCount, range.upperBound - start)
            decode.run(from + start * fromWidth, tile, count)
            encode.run(
              tile, decode.isInteger, isUnsigned: input.dataType == .uint64, to + start * toWidth,
              count)
          }
        }
      }
    }
  }

  /// A new tensor of another type; the tensor itself when it has that type.
  public static func cast(_ input: Tensor, to type: DataType) throws(KernelError) -> Tensor {
    if input.dataType == type { return input }
    let output = try Copying.makeTensor(type, input.shape)
    try cast(input, into: output)
    return output
  }

  private static let tileCount = 512

  private typealias Conversion = (UnsafeRawPointer, UnsafeMutableRawPointer, Int) -> Void

  /// The conversions that whole models go through.
  private static func directConversion(from: DataType, to: DataType) -> Conversion? {
    switch (from, to) {
    case (.float16, .float32):
      { ditc_f16_to_f32($0.assumingMemoryBound(to: UInt16.self), $1.bound(Float.self), $2) }
    case (.bfloat16, .float32):
      { ditc_bf16_to_f32($0.assumingMemoryBound(to: UInt16.self), $1.bound(Float.self), $2) }
    case (.float32, .float16):
      { ditc_f32_to_f16($0.assumingMemoryBound(to: Float.self), $1.bound(UInt16.self), $2) }
    case (.float32, .bfloat16):
      { ditc_f32_to_bf16($0.assumingMemoryBound(to: Float.self), $1.bound(UInt16.self), $2) }
    default: nil
    }
  }
}
