public import Tensors

/// What a file says about one of its tensors, known before the elements are read.
public struct TensorEntry: Hashable, Sendable {
  /// The name, which is text and never a path.
  public let name: String

  /// The element type.
  public let dataType: DataType

  /// The dimensions.
  public let shape: Shape

  /// Checks rank and size against the limits.
  init(
    name: String, dataType: DataType, dimensions: [Int], limits: TensorFileLimits, place: String
  ) throws(TensorFileError) {
    guard dimensions.count <= limits.rank else {
      throw TensorFileError(
        .overLimit, at: place,
        "The tensor has \(dimensions.count) dimensions; the limit is \(limits.rank).")
    }
    let byteCount: Int
    do throws(ArithmeticOverflow) {
      shape = try Shape(dimensions)
      byteCount = try Checked.product(shape.elementCount, dataType.byteCount)
    } catch {
      throw TensorFileError(.malformed, at: place, "The shape is impossible: \(error.message).")
    }
    guard byteCount <= limits.tensorByteCount else {
      throw TensorFileError(
        .overLimit, at: place,
        "The tensor needs \(byteCount) bytes; the limit is \(limits.tensorByteCount).")
    }
    self.name = name
    self.dataType = dataType
  }

  /// Bytes of the elements.
  public var byteCount: Int { shape.elementCount * dataType.byteCount }

  /// An uninitialised row-major tensor of this type and shape.
  func makeTensor(place: String) throws(TensorFileError) -> Tensor {
    guard let storage = TensorStorage(ifAvailable: byteCount) else {
      throw TensorFileError(.overLimit, at: place, "There is no memory for \(byteCount) bytes.")
    }
    return Tensor(
      dataType: dataType, shape: shape, strides: shape.rowMajorStrides, offset: 0, storage: storage)
  }
}

extension Tensor {
  /// The bytes of a row-major tensor.
  var denseBytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: base, count: byteCount)
  }

  /// The bytes of a row-major tensor, to be filled by whoever made it.
  var mutableDenseBytes: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: base, count: byteCount)
  }

  /// Makes bytes other than 0 and 1, which Swift's `Bool` cannot hold, into 1.
  func normalizeBooleans() {
    guard dataType == .bool else { return }
    let bytes = pointer(as: UInt8.self)
    for index in 0..<elementCount where bytes[index] > 1 { bytes[index] = 1 }
  }
}
