/// A typed, strided view of storage.
///
/// Copying a `Tensor` copies the view, not the elements.
public struct Tensor: Sendable {
  /// The element type.
  public let dataType: DataType

  /// The dimensions.
  public let shape: Shape

  /// Distances in elements between neighbours along each axis; 0 repeats an element.
  public let strides: [Int]

  /// The first element, counted in elements from the start of the storage.
  public let offset: Int

  /// The memory behind the view.
  public private(set) var storage: TensorStorage

  /// An uninitialised tensor in row-major order.
  public init(uninitialized dataType: DataType, _ shape: Shape) throws(ArithmeticOverflow) {
    let byteCount = try Checked.product(shape.elementCount, dataType.byteCount)
    guard let storage = TensorStorage(ifAvailable: byteCount) else {
      throw ArithmeticOverflow("there is no memory for \(byteCount) bytes")
    }
    self.init(
      dataType: dataType, shape: shape, strides: shape.rowMajorStrides, offset: 0,
      storage: storage)
  }

  /// A view of storage.
  ///
  /// The caller has checked that every element lies inside the storage.
  public init(
    dataType: DataType, shape: Shape, strides: [Int], offset: Int, storage: TensorStorage
  ) {
    self.dataType = dataType
    self.shape = shape
    self.strides = strides
    self.offset = offset
    self.storage = storage
  }

  /// True when this view is the only one of its memory, and of all of it, and the memory may be
  /// written to again.
  public mutating func ownsOverwritableMemory() -> Bool {
    storage.mayBeOverwritten && isContiguous && byteCount == storage.byteCount
      && isKnownUniquelyReferenced(&storage)
  }

  /// The same elements seen with another shape, strides and offset.
  public func view(shape: Shape, strides: [Int], offset: Int? = nil) -> Tensor {
    Tensor(
      dataType: dataType, shape: shape, strides: strides, offset: offset ?? self.offset,
      storage: storage)
  }

  /// The same bytes read as another type of the same width.
  public func reinterpreted(as dataType: DataType) -> Tensor {
    precondition(dataType.byteCount == self.dataType.byteCount, "the widths differ")
    return Tensor(
      dataType: dataType, shape: shape, strides: strides, offset: offset, storage: storage)
  }

  /// The number of dimensions.
  public var rank: Int { shape.rank }

  /// The number of elements.
  public var elementCount: Int { shape.elementCount }

  /// Bytes of the elements, without gaps.
  public var byteCount: Int { shape.elementCount * dataType.byteCount }

  /// True when the elements lie in row-major order without gaps.
  public var isContiguous: Bool {
    var expected = 1
    for axis in stride(from: rank - 1, through: 0, by: -1) where shape[axis] != 1 {
      if strides[axis] != expected { return shape.elementCount == 0 }
      expected *= shape[axis]
    }
    return true
  }

  /// The address of the first element.
  public var base: UnsafeMutableRawPointer {
    storage.base + offset * dataType.byteCount
  }

  /// The address of the first element, typed.
  ///
  /// The type's width must be that of `dataType`.
  @inlinable
  public func pointer<Element>(as type: Element.Type) -> UnsafeMutablePointer<Element> {
    (storage.base + offset * MemoryLayout<Element>.stride).assumingMemoryBound(to: type)
  }
}
