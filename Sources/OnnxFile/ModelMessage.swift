import COnnxShim
import Tensors

/// A parsed ONNX message and the memory its references point into.
///
/// Never changes after parsing, so that many threads may read it.
final class ModelMessage: @unchecked Sendable {
  let reference: OnnxModelRef

  /// Takes over a message made by the shim.
  init(adopting reference: OnnxModelRef) {
    self.reference = reference
  }

  /// Parses bytes; `path` is for the error.
  convenience init(
    parsing bytes: UnsafeRawBufferPointer, path: String
  ) throws(OnnxFileError) {
    var reference = OnnxModelRef()
    switch onnx_model_parse(bytes.baseAddress, bytes.count, &reference) {
    case OnnxStatusDone:
      self.init(adopting: reference)
    case OnnxStatusMalformed:
      throw OnnxFileError(
        .notOnnx, at: path.escapedForTerminal, "The bytes are not an ONNX model.")
    case OnnxStatusTooLarge:
      throw OnnxFileError(
        .overLimit, at: path.escapedForTerminal,
        "The model has \(bytes.count) bytes; protobuf reads at most \(Int32.max).")
    case OnnxStatusOutOfMemory:
      throw OnnxFileError(
        .overLimit, at: path.escapedForTerminal, "Memory ran out while parsing the model.")
    default:
      throw OnnxFileError(
        .internalFault, at: path.escapedForTerminal, "The parser failed unexpectedly.")
    }
  }

  deinit {
    onnx_model_free(reference)
  }

  var graph: OnnxGraphRef { onnx_model_graph(reference) }

  var metadata: [(key: String, value: String)] {
    (0..<onnx_model_metadata_count(reference)).map { position in
      let entry = onnx_model_metadata(reference, position)
      return (entry.key.text, entry.value.text)
    }
  }
}

extension OnnxBytes {
  var buffer: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: start, count: count) }

  /// The bytes, copied.
  var array: [UInt8] { Array(buffer) }

  /// The bytes as UTF-8, repaired where they are not.
  var text: String { String(decoding: buffer, as: UTF8.self) }
}

extension OnnxInts {
  var array: [Int] {
    [Int](unsafeUninitializedCapacity: count) { buffer, initializedCount in
      for position in 0..<count { buffer[position] = Int(start[position]) }
      initializedCount = count
    }
  }
}

extension OnnxFloats {
  var array: [Float] { Array(UnsafeBufferPointer(start: start, count: count)) }
}
