import Tensors

/// The elements of a tensor of real numbers, widened to `Double` a chunk at a time.
struct RealElements {
  /// Elements handed out at once.
  static let chunkCount = 4096

  private let tensor: Tensor

  init(_ tensor: Tensor) throws(QualityError) {
    guard tensor.dataType.isFloatingPoint || tensor.dataType.isInteger || tensor.dataType == .bool
    else {
      throw QualityError(
        .unsupportedType, "Elements of type \(tensor.dataType) cannot be measured.")
    }
    self.tensor = tensor.contiguous()
  }

  var count: Int { tensor.elementCount }

  /// All elements in row-major order.
  var values: [Double] {
    [Double](unsafeUninitializedCapacity: count) { buffer, written in
      if let base = buffer.baseAddress { read(0..<count, into: base) }
      written = count
    }
  }

  /// Writes the elements of `range` to `output`.
  func read(_ range: Range<Int>, into output: UnsafeMutablePointer<Double>) {
    switch tensor.dataType {
    case .float32: widen(Float.self, range, output) { Double($0) }
    case .float64: widen(Double.self, range, output) { $0 }
    case .float16: widen(Float16.self, range, output) { Double($0) }
    case .bfloat16:
      widen(UInt16.self, range, output) { Double(Float(bitPattern: UInt32($0) << 16)) }
    case .int8: widen(Int8.self, range, output) { Double($0) }
    case .int16: widen(Int16.self, range, output) { Double($0) }
    case .int32: widen(Int32.self, range, output) { Double($0) }
    case .int64: widen(Int64.self, range, output) { Double($0) }
    case .uint8, .bool: widen(UInt8.self, range, output) { Double($0) }
    case .uint16: widen(UInt16.self, range, output) { Double($0) }
    case .uint32: widen(UInt32.self, range, output) { Double($0) }
    case .uint64: widen(UInt64.self, range, output) { Double($0) }
    case .string, .complex64, .complex128: preconditionFailure("init refuses them")
    }
  }

  @inline(__always)
  private func widen<Element>(
    _ type: Element.Type, _ range: Range<Int>, _ output: UnsafeMutablePointer<Double>,
    _ convert: (Element) -> Double
  ) {
    let input = tensor.pointer(as: type) + range.lowerBound
    for index in 0..<range.count { output[index] = convert(input[index]) }
  }

  /// Calls `body` with consecutive chunks.
  func forEachChunk(_ body: (UnsafeBufferPointer<Double>) -> Void) {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: RealElements.chunkCount) { buffer in
      guard let base = buffer.baseAddress else { return }
      for start in stride(from: 0, to: count, by: RealElements.chunkCount) {
        let range = start..<min(start + RealElements.chunkCount, count)
        read(range, into: base)
        body(UnsafeBufferPointer(start: base, count: range.count))
      }
    }
  }
}

/// The smallest and the greatest element; NaN is passed over.
struct ValueRange: Hashable {
  var lowest = Double.infinity
  var highest = -Double.infinity

  mutating func include(_ value: Double) {
    if value < lowest { lowest = value }
    if value > highest { highest = value }
  }

  /// Greatest minus smallest; 0 when there is no element.
  var width: Double { highest >= lowest ? highest - lowest : 0 }
}
