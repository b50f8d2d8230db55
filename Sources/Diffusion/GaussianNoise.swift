import Foundation
public import Tensors

/// Repeatable noise from a seed.
///
/// SplitMix64 (Steele, Lea, Flood 2014) and the Box–Muller transform. The numbers are the same on
/// every machine and are not PyTorch's for the same seed; to start from PyTorch's noise, pass it as
/// `initial_noise`.
public struct GaussianNoise {
  private var state: UInt64

  /// A generator for a seed.
  public init(seed: UInt64) {
    state = seed
  }

  /// A tensor of independent normal numbers with mean 0 and variance 1.
  public mutating func tensor(_ shape: Shape) -> Tensor {
    var numbers: [Float] = []
    numbers.reserveCapacity(shape.elementCount + 1)
    while numbers.count < shape.elementCount {
      let radius = (-2 * log(uniform())).squareRoot()
      let angle = 2 * Double.pi * uniform()
      numbers.append(Float(radius * cos(angle)))
      numbers.append(Float(radius * sin(angle)))
    }
    return Tensor(Array(numbers.prefix(shape.elementCount)), shape: shape)
  }

  /// A number in (0, 1].
  private mutating func uniform() -> Double {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    mixed ^= mixed >> 31
    return (Double(mixed >> 11) + 1) / 9_007_199_254_740_992
  }
}
