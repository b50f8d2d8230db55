extension [UInt8] {
  /// The unsigned number of `byteCount` bytes at `offset`, which must lie inside; nil when it
  /// does not fit in `Int`.
  func littleEndian(at offset: Int, byteCount: Int) -> Int? {
    var value: UInt64 = 0
    for index in 0..<byteCount { value |= UInt64(self[offset + index]) << (8 * index) }
    return Int(exactly: value)
  }

  /// The two-byte number at `offset`, which must lie inside.
  func uint16(at offset: Int) -> Int {
    Int(self[offset]) | Int(self[offset + 1]) << 8
  }

  /// The four-byte number at `offset`, which must lie inside.
  func uint32(at offset: Int) -> Int {
    uint16(at: offset) | uint16(at: offset + 2) << 16
  }

  /// Appends a number in as many bytes as its type has.
  mutating func append<Number: FixedWidthInteger>(littleEndian number: Number) {
    Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
  }
}
