public import Tensors

/// Tensors that cannot be compared or shown, and why.
public struct QualityError: ReportedError, Hashable {
  /// What is wrong.
  public enum Kind: Hashable, Sendable {
    /// The tensors to compare have different shapes.
    case shapeMismatch
    /// The shape is not that of a video.
    case notAVideo
    /// The pictures are smaller than what measures them.
    case tooSmall
    /// A network does not take pictures or does not give what is measured.
    case unsuitableNetwork
    /// A computation has no finite result.
    case notFinite
    /// The elements are not real numbers.
    case unsupportedType
    /// The picture would be too large.
    case overLimit
    /// The picture could not be encoded.
    case encodingFailed
    /// The operating system refused.
    case file(FileError.Kind)
  }

  /// What is wrong.
  public var kind: Kind

  /// The row or file concerned; empty for a comparison.
  public var place: String

  /// One sentence, with the shapes.
  public var message: String

  /// What the user can do about it.
  public var hint: String?

  /// An error at a place.
  public init(_ kind: Kind, at place: String = "", _ message: String, hint: String? = nil) {
    self.kind = kind
    self.place = place
    self.message = message
    self.hint = hint
  }

  /// Writes a file durably; `inputs` are files that must not be replaced.
  static func writing(
    _ bytes: [UInt8], to path: String, inputs: Set<FileIdentity>
  ) throws(QualityError) {
    do throws(FileError) {
      var file = try DurableFile(replacing: path, inputs: inputs)
      try file.write(bytes)
      try file.commit()
    } catch {
      throw QualityError(.file(error.kind), at: error.place, error.message, hint: error.hint)
    }
  }

  /// The kind as a kebab-case word.
  public var code: String {
    switch kind {
    case .shapeMismatch: "shapes-differ"
    case .notAVideo: "not-a-video"
    case .tooSmall: "pictures-too-small"
    case .unsuitableNetwork: "unsuitable-network"
    case .notFinite: "not-finite"
    case .unsupportedType: "unsupported-element-type"
    case .overLimit: "picture-too-large"
    case .encodingFailed: "encoding-failed"
    case .file(let kind): kind.rawValue
    }
  }

  /// The category, which decides the exit status.
  public var category: FailureCategory {
    switch kind {
    case .shapeMismatch, .notAVideo, .tooSmall, .unsuitableNetwork, .notFinite: .badModel
    case .unsupportedType: .unsupported
    case .overLimit: .overLimit
    case .encodingFailed: .internalFault
    case .file: .inputOutput
    }
  }
}
