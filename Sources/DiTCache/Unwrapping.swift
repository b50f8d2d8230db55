import CacheContract
import OnnxFile

/// Restores originals.
public enum Unwrapping {
  /// Writes the original of a cached model.
  public static func restore(_ cached: String, to output: String) throws -> UnwrapReport {
    if let manifest = try FormFolder.manifest(at: cached), let form = manifest.form {
      throw FormFolder.holdsNoOriginal(
        cached, form.kind.rawValue,
        hint: "it was made from '\(form.original)', SHA-256 \(manifest.originalDigest): use that")
    }
    let model = try OnnxModel.read(cached)
    if let part = model.metadata(FormFolder.partKey) {
      throw FormFolder.holdsNoOriginal(
        cached, part.split(separator: " ").first.map(String.init) ?? "",
        hint: "'\(FormFolder.manifestName)' beside it names the original")
    }
    let restored = try model.restoreOriginal(to: output)
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
