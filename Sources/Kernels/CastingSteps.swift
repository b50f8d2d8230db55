import CVectorKernels
import Tensors

/// Converts a run of elements from one address to another.
typealias Conversion = (UnsafeRawPointer, UnsafeMutableRawPointer, Int) -> Void

/// The wide forms that conversions without a loop of their own go through; every element fits one
/// of them exactly.
enum WideForm {
  case signed, unsigned, floating

  init(_ type: DataType) {
    self = type.isFloatingPoint ? .floating : type == .uint64 ? .unsigned : .signed
  }
}

/// Steps from an element type to its wide form and from a wide form to an element type.
enum CastingSteps {
  static func decoder(_ type: DataType) throws(KernelError) -> Conversion {
    switch type {
    case .bool, .uint8: converting { (x: UInt8) in Int64(x) }
    case .int8: converting { (x: Int8) in Int64(x) }
    case .uint16: converting { (x: UInt16) in Int64(x) }
    case .int16: converting { (x: Int16) in Int64(x) }
    case .uint32: converting { (x: UInt32) in Int64(x) }
    case .int32: converting { (x: Int32) in Int64(x) }
    case .uint64: converting { (x: UInt64) in x }
    case .int64: converting { (x: Int64) in x }
    case .float32: converting { (x: Float) in Double(x) }
    case .float64: converting { (x: Double) in x }
    case .float16: halves(ditc_f16_to_f32)
    case .bfloat16: halves(ditc_bf16_to_f32)
    default: throw .unsupported("a cast", type)
    }
  }

  static func encoder(_ type: DataType, from form: WideForm) throws(KernelError) -> Conversion {
    switch form {
    case .signed: try integerEncoder(Int64.self, type)
    case .unsigned: try integerEncoder(UInt64.self, type)
    case .floating: try floatingEncoder(type)
    }
  }

  /// A loop over elements; specialised for the types of its closure.
  @inline(__always)
  static func converting<From, To>(_ function: @escaping (From) -> To) -> Conversion {
    { from, to, count in
      let source = from.assumingMemoryBound(to: From.self)
      let target = to.assumingMemoryBound(to: To.self)
      for i in 0..<count { target[i] = function(source[i]) }
    }
  }

  private static func integerEncoder<Wide: FixedWidthInteger>(
    _ wide: Wide.Type, _ type: DataType
  ) throws(KernelError) -> Conversion {
    switch type {
    case .bool: converting { (x: Wide) in x != 0 }
    case .uint8: converting { (x: Wide) in UInt8(truncatingIfNeeded: x) }
    case .int8: converting { (x: Wide) in Int8(truncatingIfNeeded: x) }
    case .uint16: converting { (x: Wide) in UInt16(truncatingIfNeeded: x) }
    case .int16: converting { (x: Wide) in Int16(truncatingIfNeeded: x) }
    case .uint32: converting { (x: Wide) in UInt32(truncatingIfNeeded: x) }
    case .int32: converting { (x: Wide) in Int32(truncatingIfNeeded: x) }
    case .uint64: converting { (x: Wide) in UInt64(truncatingIfNeeded: x) }
    case .int64: converting { (x: Wide) in Int64(truncatingIfNeeded: x) }
    case .float32: converting { (x: Wide) in Float(x) }
    case .float64: converting { (x: Wide) in Double(x) }
    case .float16: converting { (x: Wide) in half(roundedToOdd(x), ditc_f32_to_f16) }
    case .bfloat16: converting { (x: Wide) in half(roundedToOdd(x), ditc_f32_to_bf16) }
    default: throw .unsupported("a cast", type)
    }
  }

  private static func floatingEncoder(_ type: DataType) throws(KernelError) -> Conversion {
    switch type {
    case .bool: converting { (x: Double) in x != 0 }
    case .uint8: converting { (x: Double) in saturating(x) as UInt8 }
    case .int8: converting { (x: Double) in saturating(x) as Int8 }
    case .uint16: converting { (x: Double) in saturating(x) as UInt16 }
    case .int16: converting { (x: Double) in saturating(x) as Int16 }
    case .uint32: converting { (x: Double) in saturating(x) as UInt32 }
    case .int32: converting { (x: Double) in saturating(x) as Int32 }
    case .uint64: converting { (x: Double) in saturating(x) as UInt64 }
    case .int64: converting { (x: Double) in saturating(x) as Int64 }
    case .float32: converting { (x: Double) in Float(x) }
    case .float64: converting { (x: Double) in x }
    case .float16: converting { (x: Double) in half(roundedToOdd(x), ditc_f32_to_f16) }
    case .bfloat16: converting { (x: Double) in half(roundedToOdd(x), ditc_f32_to_bf16) }
    default: throw .unsupported("a cast", type)
    }
  }

  @inline(__always)
  static func saturating<Source: BinaryFloatingPoint, Number: FixedWidthInteger>(
    _ value: Source
  ) -> Number {
    if value.isNaN { return 0 }
    if value <= Source(Number.min) { return Number.min }
    return value >= Source(Number.max) ? Number.max : Number(value)
  }

  private static func halves(
    _ widen: @escaping (UnsafePointer<UInt16>, UnsafeMutablePointer<Float>, Int) -> Void
  ) -> Conversion {
    converting { (bits: UInt16) in
      var (narrow, wide) = (bits, Float(0))
      widen(&narrow, &wide, 1)
      return Double(wide)
    }
  }

  private static func half(
    _ value: Float, _ narrow: (UnsafePointer<Float>, UnsafeMutablePointer<UInt16>, Int) -> Void
  ) -> UInt16 {
    var (wide, bits) = (value, UInt16(0))
    narrow(&wide, &bits, 1)
    return bits
  }

  /// An integer beyond 2^53 is rounded on the way, which no half type can tell.
  private static func roundedToOdd(_ value: some BinaryInteger) -> Float {
    roundedToOdd(Double(value))
  }

  private static func roundedToOdd(_ value: Double) -> Float {
    var (exact, odd) = (value, Float(0))
    ditc_f64_to_f32_odd(&exact, &odd, 1)
    return odd
  }
}
