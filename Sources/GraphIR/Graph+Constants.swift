import Tensors

extension Graph {
  /// The integers of a small constant: an initializer that is not an input, or a `Constant` node.
  package func constantIntegers(_ value: ValueID?, atMost limit: Int = 64) -> [Int]? {
    guard let stored = constant(value), stored.shape.elementCount <= limit,
      stored.dataType.isInteger
    else { return nil }
    return try? stored.load().integers()
  }

  /// A constant: an initializer that is not an input, or the tensor of a `Constant` node.
  package func constant(_ value: ValueID?) -> StoredTensor? {
    guard let value else { return nil }
    if let stored = initializers[value] { return inputs.contains(value) ? nil : stored }
    guard let node = producer(of: value), self[node].op == "Constant",
      case .tensor(let stored)? = self[node].attribute("value")
    else { return nil }
    return stored
  }
}

extension Name {
  /// This name, a slash and a suffix.
  package func derived(_ suffix: String) -> Name { Name(bytes: bytes + Array("/\(suffix)".utf8)) }
}
