/// A Swift type that is the element of some `DataType`.
public protocol TensorElement: BitwiseCopyable, Sendable {
  /// The matching data type.
  static var dataType: DataType { get }
}

extension Float: TensorElement {
  /// `float32`.
  public static var dataType: DataType { .float32 }
}
extension Double: TensorElement {
  /// `float64`.
  public static var dataType: DataType { .float64 }
}
extension Int8: TensorElement {
  /// `int8`.
  public static var dataType: DataType { .int8 }
}
extension UInt8: TensorElement {
  /// `uint8`.
  public static var dataType: DataType { .uint8 }
}
extension Int16: TensorElement {
  /// `int16`.
  public static var dataType: DataType { .int16 }
}
extension UInt16: TensorElement {
  /// `uint16`.
  public static var dataType: DataType { .uint16 }
}
extension Int32: TensorElement {
  /// `int32`.
  public static var dataType: DataType { .int32 }
}
extension UInt32: TensorElement {
  /// `uint32`.
  public static var dataType: DataType { .uint32 }
}
extension Int64: TensorElement {
  /// `int64`.
  public static var dataType: DataType { .int64 }
}
extension UInt64: TensorElement {
  /// `uint64`.
  public static var dataType: DataType { .uint64 }
}
extension Bool: TensorElement {
  /// `bool`.
  public static var dataType: DataType { .bool }
}

extension Tensor {
  /// A row-major tensor holding a copy of `elements`, whose count must be that of `shape`.
  public init<Element: TensorElement>(_ elements: [Element], shape: Shape) {
    precondition(elements.count == shape.elementCount, "\(elements.count) elements for \(shape)")
    let storage = TensorStorage(byteCount: elements.count * MemoryLayout<Element>.stride)
    elements.withUnsafeBytes { bytes in
      if let source = bytes.baseAddress {
        storage.base.copyMemory(from: source, byteCount: bytes.count)
      }
    }
    self.init(
      dataType: Element.dataType, shape: shape, strides: shape.rowMajorStrides, offset: 0,
      storage: storage)
  }

  /// A vector holding a copy of `elements`.
  public init<Element: TensorElement>(_ elements: [Element]) {
    self.init(elements, shape: .vector(elements.count))
  }

  /// A scalar.
  public init<Element: TensorElement>(scalar: Element) {
    self.init([scalar], shape: .scalar)
  }

  /// The elements in row-major order.
  ///
  /// `Element` must be the type of `dataType`.
  public func elements<Element: TensorElement>(as type: Element.Type = Element.self) -> [Element] {
    precondition(Element.dataType == dataType, "\(dataType) read as \(Element.dataType)")
    let dense = contiguous()
    return Array(UnsafeBufferPointer(start: dense.pointer(as: type), count: elementCount))
  }

  /// The elements of an integer or bool tensor, widened; nil for other types and for unsigned
  /// numbers that do not fit.
  public func integers() -> [Int]? {
    switch dataType {
    case .int64: elements(as: Int64.self).map(Int.init)
    case .int32: elements(as: Int32.self).map(Int.init)
    case .int16: elements(as: Int16.self).map(Int.init)
    case .int8: elements(as: Int8.self).map(Int.init)
    case .uint8: elements(as: UInt8.self).map(Int.init)
    case .uint16: elements(as: UInt16.self).map(Int.init)
    case .uint32: elements(as: UInt32.self).map(Int.init)
    case .bool: elements(as: Bool.self).map { $0 ? 1 : 0 }
    case .uint64:
      elements(as: UInt64.self).contains { $0 > UInt64(Int.max) }
        ? nil : elements(as: UInt64.self).map { Int($0) }
    default: nil
    }
  }
}
