import COnnxShim
import Glibc
import Tensors

/// A message to be written, made of borrowed and new pieces.
final class Draft {
  let reference: OnnxDraftRef
  private let base: ModelMessage?

  /// A draft with everything of `base` but the lists of its graph and metadata.
  init(base: ModelMessage?) {
    self.base = base
    reference = onnx_draft_create(base?.reference ?? OnnxModelRef(message: nil))
  }

  deinit {
    onnx_draft_free(reference)
  }

  var graph: OnnxGraphDraft { onnx_draft_graph(reference) }

  func addMetadata(_ key: String, _ value: String) {
    Array(key.utf8).withBytes { key in
      Array(value.utf8).withBytes { value in
        onnx_draft_add_metadata(reference, OnnxEntry(key: key, value: value))
      }
    }
  }

  /// Hands the bytes to `sink`, piece by piece.
  func write(to sink: some ByteSink, path: String) throws {
    let status = onnx_draft_write(
      reference,
      { context, bytes, count in
        guard let context else { return false }
        let sink = Unmanaged<AnyObject>.fromOpaque(context).takeUnretainedValue()
        return (sink as? any ByteSink)?.take(UnsafeRawBufferPointer(start: bytes, count: count))
          ?? false
      }, Unmanaged.passUnretained(sink as AnyObject).toOpaque())
    if let failure = sink.failure { throw failure }
    switch status {
    case OnnxStatusDone: return
    case OnnxStatusTooLarge:
      throw OnnxFileError(
        .overLimit, at: path.escapedForTerminal,
        "The model would have more than \(Int32.max) bytes, which protobuf cannot write.",
        hint: "Export with external data, so that weights lie in a file of their own.")
    case OnnxStatusOutOfMemory:
      throw OnnxFileError(
        .overLimit, at: path.escapedForTerminal, "Memory ran out while writing the model.")
    default:
      throw OnnxFileError(
        .internalFault, at: path.escapedForTerminal, "Writing the model failed unexpectedly.")
    }
  }
}

/// Something that takes bytes one piece after another.
protocol ByteSink: AnyObject {
  /// Why the last piece was not taken.
  var failure: FileError? { get }
  /// False when the piece could not be taken.
  func take(_ bytes: UnsafeRawBufferPointer) -> Bool
}

/// Bytes collected in memory.
final class MemorySink: ByteSink {
  private(set) var bytes: [UInt8] = []
  let failure: FileError? = nil

  func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
    self.bytes.append(contentsOf: bytes)
    return true
  }
}

/// Bytes on their way into a file that appears whole or not at all, with their digest.
final class FileSink: ByteSink {
  private(set) var failure: FileError?
  private(set) var byteCount = 0
  private let digest = Digest()
  private let path: String
  private var file: DurableFile?
  private var identity: FileIdentity?

  init(replacing path: String, inputs: Set<FileIdentity>) throws(FileError) {
    self.path = path
    file = try DurableFile(replacing: path, inputs: inputs)
  }

  func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
    do throws(FileError) {
      try file?.write(bytes)
      digest.update(bytes)
      byteCount += bytes.count
      return true
    } catch {
      failure = error
      return false
    }
  }

  /// Where the bytes are until `commit`; nil after.
  func giveTemporaryName() throws(FileError) -> String? { try file?.giveTemporaryName() }

  /// Brings the bytes to the disk and returns their digest; the file has no name yet.
  func seal() throws(FileError) -> String {
    try file?.seal()
    return digest.finish()
  }

  /// Gives the sealed file its name, or another one in the same folder.
  func commit(as otherName: String? = nil) throws(FileError) {
    guard let file = file.take() else { return }
    identity = file.identity
    try file.commit(as: otherName)
  }

  /// True when `path` leads to what was committed, even if committing failed afterwards.
  func isInPlace(at path: String) -> Bool {
    identity != nil && FileIdentity(path: path) == identity
  }

  /// Removes a file that has its name already.
  func withdraw() { unlink(path) }
}

extension [UInt8] {
  /// Calls `body` with the bytes as the shim takes them.
  func withBytes<Result>(_ body: (OnnxBytes) throws -> Result) rethrows -> Result {
    try withUnsafeBufferPointer {
      try body(OnnxBytes(start: $0.baseAddress, count: $0.count))
    }
  }
}

extension Array where Element == Int {
  func withInts<Result>(_ body: (OnnxInts) throws -> Result) rethrows -> Result {
    try map(Int64.init).withUnsafeBufferPointer {
      try body(OnnxInts(start: $0.baseAddress, count: $0.count))
    }
  }
}
