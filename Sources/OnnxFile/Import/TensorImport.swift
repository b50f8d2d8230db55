import COnnxShim
import GraphIR
import Tensors

extension GraphImporter {
  /// A tensor of the message as one that is read when asked for.
  ///
  /// Type, shape and the number of bytes are checked against each other now.
  func storedTensor(
    _ tensor: OnnxTensorRef, place: @autoclosure () -> String
  ) throws(OnnxFileError) -> StoredTensor {
    let place = place()
    let dataType = try dataType(onnx_tensor_data_type(tensor), place: place)
    let shape = try shape(onnx_tensor_dims(tensor), place: place)
    let byteCount: Int
    do {
      byteCount = try Checked.product(shape.elementCount, dataType.byteCount)
    } catch {
      throw OnnxFileError(.malformedTensor, at: place, "The shape \(shape) has too many elements.")
    }
    guard !onnx_tensor_has_segment(tensor) else {
      throw OnnxFileError(.unsupported, at: place, "Tensors in segments are not supported.")
    }
    let reference = TensorReference(tensor: tensor)
    if onnx_tensor_is_external(tensor) {
      guard dataType != .string, !onnx_tensor_has_raw_data(tensor), typedCount(tensor) == 0 else {
        throw OnnxFileError(
          .malformedTensor, at: place, "The tensor has its bytes both outside and inside the model."
        )
      }
      let record = try ExternalRecord(tensor, byteCount: byteCount, place: place)
      let file = try files.value.file(
        of: record, end: record.offset + byteCount, place: place)
      return StoredTensor(
        dataType: dataType, shape: shape,
        source: ExternalTensor(
          model: model, reference: reference, dataType: dataType, shape: shape, file: file,
          offset: record.offset, byteCount: byteCount))
    }
    try checkInline(tensor, dataType, shape, byteCount: byteCount, place: place)
    return StoredTensor(
      dataType: dataType, shape: shape,
      source: InlineTensor(
        model: model, reference: reference, dataType: dataType, shape: shape, place: place))
  }

  private func checkInline(
    _ tensor: OnnxTensorRef, _ dataType: DataType, _ shape: Shape, byteCount: Int, place: String
  ) throws(OnnxFileError) {
    guard onnx_tensor_external_count(tensor) == 0 else {
      throw OnnxFileError(
        .malformedTensor, at: place,
        "The tensor names external data but is not marked as external.")
    }
    let typed = typedCount(tensor)
    if onnx_tensor_has_raw_data(tensor) {
      let actual = onnx_tensor_raw_data(tensor).count
      guard typed == 0, dataType != .string else {
        throw OnnxFileError(.malformedTensor, at: place, "The tensor has its elements twice.")
      }
      guard actual == byteCount else {
        throw OnnxFileError(
          .malformedTensor, at: place,
          "The tensor has \(actual) bytes; \(dataType)\(shape) takes \(byteCount).")
      }
      return
    }
    let items = itemCount(tensor, dataType)
    let expected =
      dataType.isComplex
      ? shape.elementCount.multipliedReportingOverflow(by: 2).partialValue : shape.elementCount
    guard typed == items, items == expected else {
      throw OnnxFileError(
        .malformedTensor, at: place,
        "The tensor has \(items) elements in its typed field and \(typed) in all; "
          + "\(dataType)\(shape) takes \(expected).")
    }
  }

  private func typedCount(_ tensor: OnnxTensorRef) -> Int {
    let counts = onnx_tensor_typed_counts(tensor)
    return counts.floats + counts.int32s + counts.int64s + counts.doubles + counts.uint64s
      + counts.strings
  }

  /// The items of the field that holds elements of a type (onnx.proto, TensorProto).
  private func itemCount(_ tensor: OnnxTensorRef, _ dataType: DataType) -> Int {
    let counts = onnx_tensor_typed_counts(tensor)
    return switch dataType {
    case .float32, .complex64: counts.floats
    case .float64, .complex128: counts.doubles
    case .int64: counts.int64s
    case .uint32, .uint64: counts.uint64s
    case .string: counts.strings
    case .int32, .int16, .int8, .uint16, .uint8, .bool, .float16, .bfloat16: counts.int32s
    }
  }

  private func dataType(_ number: Int32, place: String) throws(OnnxFileError) -> DataType {
    if let type = DataType(rawValue: number) { return type }
    guard let name = Self.laterTypes[number] else {
      throw OnnxFileError(
        .malformedTensor, at: place, "The tensor has the element type \(number), which ONNX lacks.")
    }
    throw OnnxFileError(.unsupported, at: place, "Elements of type \(name) are not supported.")
  }

  /// Element types that ONNX has and `DataType` lacks (onnx.proto, TensorProto.DataType).
  private static let laterTypes: [Int32: String] = [
    17: "float8e4m3fn", 18: "float8e4m3fnuz", 19: "float8e5m2", 20: "float8e5m2fnuz",
    21: "uint4", 22: "int4", 23: "float4e2m1", 24: "float8e8m0", 25: "uint2", 26: "int2",
  ]

  private func shape(_ dims: OnnxInts, place: String) throws(OnnxFileError) -> Shape {
    guard dims.count <= limits.rank else {
      throw OnnxFileError(
        .overLimit, at: place,
        "The tensor has \(dims.count) dimensions, at most \(limits.rank) fit.")
    }
    do {
      return try Shape(dims.array)
    } catch {
      throw OnnxFileError(
        .malformedTensor, at: place, "The shape \(dims.array) is impossible: \(error.message).")
    }
  }
}

extension DataType {
  fileprivate var isComplex: Bool { self == .complex64 || self == .complex128 }
}
