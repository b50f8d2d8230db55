import Tensors

/// Elements for weights that are not there, so that a graph can be run and timed without them.
///
/// Floating-point elements are close to N(0, 0.02²): the sum of four uniform numbers (Irwin–Hall),
/// drawn by SplitMix64 (Steele, Lea, Flood 2014) from the seed and the tensor's name. The same
/// seed and name give the same elements in every file. Integers are 0, bools false. 0.02 is the
/// usual initialisation of transformer weights (GPT-2's `initializer_range`).
enum RandomElements {
  private static let deviation: Float = 0.02

  static func tensor(
    _ dataType: DataType, _ shape: Shape, seed: UInt64, name: [UInt8]
  ) throws -> Tensor {
    let wide = try Tensor(uninitialized: dataType == .bfloat16 ? .float32 : dataType, shape)
    wide.base.initializeMemory(as: UInt8.self, repeating: 0, count: wide.byteCount)
    var state = mixed(seed, name)
    switch dataType {
    case .float32: fill(wide, of: Float.self, &state) { $0 }
    case .float64: fill(wide, of: Double.self, &state) { Double($0) }
    case .float16: fill(wide, of: UInt16.self, &state) { half($0) }
    case .bfloat16:
      let result = try Tensor(uninitialized: .bfloat16, shape)
      fill(result, of: UInt16.self, &state) { UInt16(truncatingIfNeeded: $0.bitPattern >> 16) }
      return result
    default: break
    }
    return wide
  }

  /// FNV-1a of the name, with the seed.
  private static func mixed(_ seed: UInt64, _ name: [UInt8]) -> UInt64 {
    name.reduce(0xCBF2_9CE4_8422_2325 ^ seed) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }

  private static func fill<Element>(
    _ tensor: Tensor, of type: Element.Type, _ state: inout UInt64, _ convert: (Float) -> Element
  ) {
    let elements = tensor.base.bindMemory(to: type, capacity: tensor.shape.elementCount)
    // Four 16-bit uniform numbers have the variance 4 · 65536² / 12.
    let scale = deviation / (65536 * (1.0 / 3).squareRoot())
    for index in 0..<tensor.shape.elementCount {
      state &+= 0x9E37_79B9_7F4A_7C15
      var bits = state
      bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
      bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
      bits ^= bits >> 31
      let sum = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48)
      elements[index] = convert((Float(sum) - 131_070) * scale)
    }
  }

  /// A number of magnitude below 1 as IEEE half precision, rounded towards zero.
  private static func half(_ number: Float) -> UInt16 {
    let bits = number.bitPattern
    let sign = UInt16(truncatingIfNeeded: bits >> 16) & 0x8000
    let exponent = Int(bits >> 23 & 0xFF) - 112
    guard exponent > 0 else { return sign }
    return sign | UInt16(truncatingIfNeeded: exponent << 10) | UInt16(bits >> 13 & 0x3FF)
  }
}
