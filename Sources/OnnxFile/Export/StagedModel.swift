import Tensors

/// A model file that was written.
public struct WrittenModel: Sendable {
  /// Where it is.
  public let path: String

  /// Its SHA-256, 64 lowercase hexadecimal digits.
  public let digest: String

  /// Its size in bytes, external data not counted.
  public let byteCount: Int
}

/// A model file that is complete but has a temporary name, so that it can be checked first.
///
/// Weights that were copied beside it have their final names already; what those replaced comes
/// back if the model is not committed.
public final class StagedModel {
  /// Where it will be.
  public let path: String

  private let digest: String
  private let sink: FileSink
  private let copies: WeightCopies?
  private var isCommitted = false

  init(path: String, digest: String, sink: FileSink, copies: WeightCopies?) {
    self.path = path
    self.digest = digest
    self.sink = sink
    self.copies = copies
  }

  deinit {
    if !isCommitted { copies?.withdraw() }
  }

  /// Where it can be read before it is committed.
  public var temporaryPath: String { sink.temporaryPath ?? path }

  /// Gives the file its name.
  @discardableResult
  public func commit() throws(OnnxFileError) -> WrittenModel {
    do throws(FileError) {
      try sink.commit()
    } catch {
      throw OnnxFileError(error)
    }
    isCommitted = true
    copies?.settle()
    return WrittenModel(path: path, digest: digest, byteCount: sink.byteCount)
  }
}
