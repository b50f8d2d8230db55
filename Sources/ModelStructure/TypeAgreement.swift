import GraphIR

extension ValueType {
  /// False when what is known of two types contradicts: another element type, rank or size.
  ///
  /// Sizes of which one is symbolic may be equal.
  func agrees(with other: ValueType) -> Bool {
    guard let own = tensor, let other = other.tensor else { return true }
    if let type = own.dataType, let another = other.dataType, type != another { return false }
    guard let shape = own.shape, let another = other.shape else { return true }
    return shape.count == another.count
      && zip(shape, another).allSatisfy { a, b in
        a == b || a.value == nil || b.value == nil
      }
  }
}
