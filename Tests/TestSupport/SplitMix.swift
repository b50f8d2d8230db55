/// A small seeded generator (Steele, Lea, Flood 2014: SplitMix64).
package struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  /// A generator whose numbers follow from the seed.
  package init(seed: UInt64) {
    state = seed
  }

  /// The next 64 bits.
  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }

  /// A number of a range that is not empty.
  package mutating func int(_ range: Range<Int>) -> Int { Int.random(in: range, using: &self) }

  /// An element; nil of an empty collection.
  package mutating func pick<Items: Collection>(_ items: Items) -> Items.Element? {
    items.randomElement(using: &self)
  }

  /// True once in `n` times.
  package mutating func chance(_ n: Int) -> Bool { int(0..<n) == 0 }
}
