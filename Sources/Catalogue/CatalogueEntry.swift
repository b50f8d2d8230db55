/// One file of the catalogue.
public struct CatalogueEntry: Hashable, Sendable {
  /// The name of the schedule or adapter that it defines.
  public let name: String
  /// The name of the file.
  public let fileName: String
  /// What it is for, in one line.
  public let summary: String
  /// The whole text; the build has checked it.
  public let text: String
}
