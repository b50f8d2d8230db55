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
    let convert = try conversion(from: input.dataType, to: output.dataType)
    let source = try Copying.contiguous(input)
    let (from, to) = (source.base, output.base)
    let (fromWidth, toWidth) = (input.dataType.byteCount, output.dataType.byteCount)
    Parallel.forEachPart(of: output.elementCount, operationsPerItem: 1, grain: 64) { range in
      convert(from + range.lowerBound * fromWidth, to + range.lowerBound * toWidth, range.count)
    }
    withExtendedLifetime(source) {}
  }

  /// A new tensor of another type; the tensor itself when it has that type.
  public static func cast(_ input: Tensor, to type: DataType) throws(KernelError) -> Tensor {
    if input.dataType == type { return input }
    let output = try Copying.makeTensor(type, input.shape)
    try cast(input, into: output)
    return output
  }

  /// A loop for the pairs that models use often; others go through a wide form, a tile at a time.
  private static func conversion(
    from: DataType, to: DataType
  ) throws(KernelError) -> Conversion {
    switch (from, to) {
    case (.float16, .float32):
      { ditc_f16_to_f32($0.bound(UInt16.self), $1.bound(Float.self), $2) }
    case (.bfloat16, .float32):
      { ditc_bf16_to_f32($0.bound(UInt16.self), $1.bound(Float.self), $2) }
    case (.float32, .float16):
      { ditc_f32_to_f16($0.bound(Float.self), $1.bound(UInt16.self), $2) }
    case (.float32, .bfloat16):
      { ditc_f32_to_bf16($0.bound(Float.self), $1.bound(UInt16.self), $2) }
    case (.int64, .float32): CastingSteps.converting { (x: Int64) in Float(x) }
    case (.int32, .float32): CastingSteps.converting { (x: Int32) in Float(x) }
    case (.bool, .float32): CastingSteps.converting { (x: UInt8) in Float(x) }
    case (.float32, .float64): CastingSteps.converting { (x: Float) in Double(x) }
    case (.float64, .float32): CastingSteps.converting { (x: Double) in Float(x) }
    case (.int64, .int32):
      CastingSteps.converting { (x: Int64) in Int32(truncatingIfNeeded: x) }
    case (.int32, .int64): CastingSteps.converting { (x: Int32) in Int64(x) }
    case (.float32, .int64):
      CastingSteps.converting { (x: Float) in CastingSteps.saturating(x) as Int64 }
    default: try wideConversion(from: from, to: to)
    }
  }

  private static let tileCount = 512

  private static func wideConversion(
    from: DataType, to: DataType
  ) throws(KernelError) -> Conversion {
    let decode = try CastingSteps.decoder(from)
    let encode = try CastingSteps.encoder(to, from: WideForm(from))
    return { source, target, count in
      withUnsafeTemporaryAllocation(byteCount: tileCount * 8, alignment: 8) { buffer in
        guard let tile = buffer.baseAddress else { return }
        for start in stride(from: 0, to: count, by: tileCount) {
          let part = Swift.min(tileCount, count - start)
          decode(source + start * from.byteCount, tile, part)
          encode(tile, target + start * to.byteCount, part)
        }
      }
    }
  }
}

extension UnsafeRawPointer {
  /// The address, typed; the memory holds elements of that type.
  func bound<Element>(_ type: Element.Type) -> UnsafePointer<Element> {
    assumingMemoryBound(to: type)
  }
}

extension UnsafeMutableRawPointer {
  /// The address, typed; the memory holds elements of that type.
  func bound<Element>(_ type: Element.Type) -> UnsafeMutablePointer<Element> {
    assumingMemoryBound(to: type)
  }
}
