/// The version that files and `--version` name.
public enum ToolVersion {
  /// Semantic version.
  public static let number = "0.1.0"
  /// Tool and version.
  public static let text = "ditcache \(number)"
}
