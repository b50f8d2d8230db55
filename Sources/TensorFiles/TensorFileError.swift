public import Tensors

/// A tensor file that cannot be read or written, and why.
public struct TensorFileError: ReportedError, Hashable {
  /// What is wrong.
  public enum Kind: Hashable, Sendable {
    /// The bytes do not follow the format.
    case malformed
    /// The file ends before what it announces.
    case truncated
    /// A name is given twice.
    case duplicateKey
    /// The bytes do not have the checksum that stands beside them.
    case checksumMismatch
    /// The format allows it, this reader does not.
    case unsupported
    /// A limit of `TensorFileLimits` is passed.
    case overLimit
    /// The file holds no tensor of that name.
    case missingTensor
    /// The operating system refused.
    case file(FileError.Kind)
  }

  /// What is wrong.
  public var kind: Kind

  /// The file and, where known, the tensor in it.
  public var place: String

  /// One sentence, with the numbers.
  public var message: String

  /// What the user can do about it.
  public var hint: String?

  /// An error at a place.
  public init(_ kind: Kind, at place: String, _ message: String, hint: String? = nil) {
    self.kind = kind
    self.place = place
    self.message = message
    self.hint = hint
  }

  init(_ error: FileError) {
    self.init(.file(error.kind), at: error.place, error.message, hint: error.hint)
  }

  /// The kind as a kebab-case word.
  public var code: String {
    switch kind {
    case .malformed: "malformed-tensor-file"
    case .truncated: "truncated-tensor-file"
    case .duplicateKey: "duplicate-tensor"
    case .checksumMismatch: "checksum-mismatch"
    case .unsupported: "unsupported-tensor-file"
    case .overLimit: "tensor-file-limit"
    case .missingTensor: "missing-tensor"
    case .file(let kind): kind.rawValue
    }
  }

  /// The category, which decides the exit status.
  public var category: FailureCategory {
    switch kind {
    case .malformed, .truncated, .duplicateKey, .checksumMismatch: .badModel
    case .unsupported: .unsupported
    case .overLimit: .overLimit
    case .missingTensor: .usage
    case .file(let kind): kind.category
    }
  }
}

/// Runs file operations, turning their errors into those of this module.
func reportingFileErrors<Value: ~Copyable>(
  _ body: () throws(FileError) -> Value
) throws(TensorFileError) -> Value {
  do { return try body() } catch { throw TensorFileError(error) }
}
