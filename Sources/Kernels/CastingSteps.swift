import CVectorKernels
import Tensors

/// Widens elements to `Int64` bit patterns (integers, bool) or to `Double` (floating point); both
/// keep the value, `uint64` by its bits.
struct Decoder {
  let isInteger: Bool
  let run: (UnsafeRawPointer, UnsafeMutablePointer<UInt64>, Int) -> Void

  init(_ type: DataType) throws(KernelError) {
    isInteger = type.isInteger || type == .bool
    switch type {
    case .bool, .uint8: run = Self.integers(UInt8.self)
    case .int8: run = Self.integers(Int8.self)
    case .uint16: run = Self.integers(UInt16.self)
    case .int16: run = Self.integers(Int16.self)
    case .uint32: run = Self.integers(UInt32.self)
    case .int32: run = Self.integers(Int32.self)
    case .uint64: run = Self.integers(UInt64.self)
    case .int64: run = Self.integers(Int64.self)
    case .float32:
      run = { from, to, count in
        let source = from.assumingMemoryBound(to: Float.self)
        for i in 0..<count { to[i] = Double(source[i]).bitPattern }
      }
    case .float64:
      run = { from, to, count in
        UnsafeMutableRawPointer(to).copyMemory(from: from, byteCount: count * 8)
      }
    case .float16: run = Self.halves(ditc_f16_to_f32)
    case .bfloat16: run = Self.halves(ditc_bf16_to_f32)
    default: throw .unsupported("a cast", type)
    }
  }

  private static func integers<Number: FixedWidthInteger>(
    _ type: Number.Type
  ) -> (UnsafeRawPointer, UnsafeMutablePointer<UInt64>, Int) -> Void {
    { from, to, count in
      let source = from.assumingMemoryBound(to: type)
      for i in 0..<count { to[i] = UInt64(truncatingIfNeeded: source[i]) }
    }
  }

  private static func halves(
    _ widen: @escaping (UnsafePointer<UInt16>, UnsafeMutablePointer<Float>, Int) -> Void
  ) -> (UnsafeRawPointer, UnsafeMutablePointer<UInt64>, Int) -> Void {
    { from, to, count in
      let source = from.assumingMemoryBound(to: UInt16.self)
      for i in 0..<count {
        var wide: Float = 0
        widen(source + i, &wide, 1)
        to[i] = Double(wide).bitPattern
      }
    }
  }
}

/// Narrows what a `Decoder` wrote.
struct Encoder {
  private let type: DataType

  init(_ type: DataType) throws(KernelError) {
    guard type.isFloatingPoint || type.isInteger || type == .bool else {
      throw .unsupported("a cast", type)
    }
    self.type = type
  }

  /// Converts a tile; `isInteger` says which of the two wide forms it holds, `uint64` values above
  /// the range of `Int64` being told apart by `isUnsigned`.
  func run(
    _ tile: UnsafeMutablePointer<UInt64>, _ isInteger: Bool, isUnsigned: Bool,
    _ output: UnsafeMutableRawPointer, _ count: Int
  ) {
    switch type {
    case .bool:
      let target = output.bound(UInt8.self)
      for i in 0..<count {
        target[i] = (isInteger ? tile[i] != 0 : Double(bitPattern: tile[i]) != 0) ? 1 : 0
      }
    case .uint8: integers(UInt8.self, tile, isInteger, output, count)
    case .int8: integers(Int8.self, tile, isInteger, output, count)
    case .uint16: integers(UInt16.self, tile, isInteger, output, count)
    case .int16: integers(Int16.self, tile, isInteger, output, count)
    case .uint32: integers(UInt32.self, tile, isInteger, output, count)
    case .int32: integers(Int32.self, tile, isInteger, output, count)
    case .uint64: integers(UInt64.self, tile, isInteger, output, count)
    case .int64: integers(Int64.self, tile, isInteger, output, count)
    case .float32:
      let target = output.bound(Float.self)
      for i in 0..<count {
        target[i] =
          if !isInteger { Float(Double(bitPattern: tile[i])) } else if isUnsigned {
            Float(tile[i])
          } else { Float(Int64(bitPattern: tile[i])) }
      }
    case .float64:
      let target = output.bound(Double.self)
      for i in 0..<count { target[i] = double(tile[i], isInteger, isUnsigned) }
    default:
      let target = output.bound(UInt16.self)
      for i in 0..<count {
        var value = double(tile[i], isInteger, isUnsigned)
        var odd: Float = 0
        ditc_f64_to_f32_odd(&value, &odd, 1)
        if type == .float16 {
          ditc_f32_to_f16(&odd, target + i, 1)
        } else {
          ditc_f32_to_bf16(&odd, target + i, 1)
        }
      }
    }
  }

  /// The wide value as a double; an integer beyond 2^53 is rounded, which no half type can tell.
  private func double(_ bits: UInt64, _ isInteger: Bool, _ isUnsigned: Bool) -> Double {
    if !isInteger { return Double(bitPattern: bits) }
    return isUnsigned ? Double(bits) : Double(Int64(bitPattern: bits))
  }

  private func integers<Number: FixedWidthInteger>(
    _ number: Number.Type, _ tile: UnsafeMutablePointer<UInt64>, _ isInteger: Bool,
    _ output: UnsafeMutableRawPointer, _ count: Int
  ) {
    let target = output.bound(number)
    if isInteger {
      for i in 0..<count { target[i] = Number(truncatingIfNeeded: tile[i]) }
    } else {
      for i in 0..<count { target[i] = saturating(Double(bitPattern: tile[i])) }
    }
  }

  private func saturating<Number: FixedWidthInteger>(_ value: Double) -> Number {
    if value.isNaN { return 0 }
    if value <= Double(Number.min) { return Number.min }
    return value >= Double(Number.max) ? Number.max : Number(value)
  }
}

extension UnsafeMutableRawPointer {
  /// The address, typed; the memory holds elements of that type.
  func bound<Element>(_ type: Element.Type) -> UnsafeMutablePointer<Element> {
    assumingMemoryBound(to: type)
  }
}
