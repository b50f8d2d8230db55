import OnnxFile

/// Restores originals.
public enum Unwrapping {
  /// Writes the original of a cached model.
  public static func restore(_ cached: String, to output: String) throws -> UnwrapReport {
    let restored = try OnnxModel.read(cached).restoreOriginal(to: output)
    return UnwrapReport(outcome: restored.outcome.rawValue, digest: restored.file.digest)
  }
}

/// What `unwrap` did, as JSON of schema 1.
public struct UnwrapReport: Encodable, Sendable {
  /// The version of this layout.
  public let schema = 1
  /// `identical` or `equivalent`.
  public let outcome: String
  /// SHA-256 of the file written.
  public let digest: String
}
