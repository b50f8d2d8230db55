import COnnxShim
import GraphIR
import Tensors

/// A tensor that stands in a parsed message, wherever its bytes are.
protocol MessageTensor: TensorSource {
  /// The message that owns the tensor.
  var model: ModelMessage { get }
  /// The tensor in the message.
  var reference: TensorReference { get }
}

/// A tensor message that may travel between threads: messages never change.
struct TensorReference: @unchecked Sendable {
  let tensor: OnnxTensorRef
}

/// A tensor whose bytes are part of the model.
///
/// Raw bytes are used where they lie unless they are not aligned; typed fields are converted.
struct InlineTensor: MessageTensor {
  let model: ModelMessage
  let reference: TensorReference
  let dataType: DataType
  let shape: Shape
  let place: String

  func load() throws -> Tensor {
    let tensor = reference.tensor
    guard dataType != .string else {
      throw OnnxFileError(.unsupported, at: place, "Tensors of strings are not supported.")
    }
    guard onnx_tensor_has_raw_data(tensor) else {
      let result = try Tensor(uninitialized: dataType, shape)
      guard onnx_tensor_unpack(tensor, result.storage.base, result.byteCount) else {
        throw OnnxFileError(
          .malformedTensor, at: place, "An element does not fit the type \(dataType).")
      }
      return result
    }
    let bytes = UnsafeRawBufferPointer(onnx_tensor_raw_data(tensor).buffer)
    guard let start = bytes.baseAddress, start.isAligned(for: dataType) else {
      return try Tensor.copying(bytes, dataType, shape)
    }
    let storage = TensorStorage(
      base: UnsafeMutableRawPointer(mutating: start), byteCount: bytes.count
    ) { [model] _ in withExtendedLifetime(model) {} }
    return Tensor(
      dataType: dataType, shape: shape, strides: shape.rowMajorStrides, offset: 0, storage: storage)
  }
}

/// A tensor whose bytes lie in another file.
struct ExternalTensor: MessageTensor {
  let model: ModelMessage
  let reference: TensorReference
  let dataType: DataType
  let shape: Shape
  let file: ExternalFile
  let offset: Int
  let byteCount: Int

  func load() throws -> Tensor {
    if let seed = file.substituteSeed {
      let name = onnx_tensor_name(reference.tensor).array
      return try RandomElements.tensor(dataType, shape, seed: seed, name: name)
    }
    let (storage, start) = try file.bytes(of: offset..<offset + byteCount)
    guard start % max(dataType.byteCount, 1) == 0 else {
      let bytes = UnsafeRawBufferPointer(start: storage.base + start, count: byteCount)
      return try Tensor.copying(bytes, dataType, shape)
    }
    return Tensor(
      dataType: dataType, shape: shape, strides: shape.rowMajorStrides,
      offset: start / max(dataType.byteCount, 1), storage: storage)
  }
}

extension Tensor {
  fileprivate static func copying(
    _ bytes: UnsafeRawBufferPointer, _ dataType: DataType, _ shape: Shape
  ) throws -> Tensor {
    let result = try Tensor(uninitialized: dataType, shape)
    UnsafeMutableRawBufferPointer(start: result.storage.base, count: bytes.count)
      .copyMemory(from: bytes)
    return result
  }
}

extension UnsafeRawPointer {
  fileprivate func isAligned(for dataType: DataType) -> Bool {
    UInt(bitPattern: self) % UInt(max(dataType.byteCount, 1)) == 0
  }
}
