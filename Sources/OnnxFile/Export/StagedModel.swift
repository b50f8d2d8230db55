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

/// A model file that is complete but does not have its name, so that it can be checked first.
///
/// Weights that were copied beside it have their names already; they go if it is not committed.
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

  /// Gives the file a hidden name, by which it can be read before it is committed.
  public func giveTemporaryName() throws(OnnxFileError) -> String {
    do { return try sink.giveTemporaryName() ?? path } catch { throw OnnxFileError(error) }
  }

  /// Gives the file its name.
  @discardableResult
  public func commit() throws(OnnxFileError) -> WrittenModel {
    do throws(FileError) {
      try sink.commit()
    } catch {
      // What is in place keeps its weights, even if its name did not reach the disk.
      isCommitted = sink.isInPlace(at: path)
      throw OnnxFileError(error)
    }
    isCommitted = true
    return WrittenModel(path: path, digest: digest, byteCount: sink.byteCount)
  }
}
