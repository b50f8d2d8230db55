import Foundation
import Tensors

/// Folders that outputs go to.
enum FolderPath {
  /// Makes a folder unless it is there.
  static func make(_ path: String) throws {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw UsageError(
        "cannot-make-folder", at: path, "the folder cannot be made", category: .inputOutput)
    }
  }

  /// Refuses a path whose folder is missing, before any work is done.
  static func requireParent(of path: String) throws {
    let parent = URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false)
    guard FileManager.default.fileExists(atPath: parent) else {
      throw UsageError(
        "missing-folder", at: path, "the folder of the output does not exist",
        category: .inputOutput)
    }
  }

  /// Refuses an output that is one of the files being read, before any work is done.
  static func requireOther(_ output: String, than inputs: String?...) throws {
    guard let own = FileIdentity(path: output) else { return }
    for input in inputs {
      guard let input, FileIdentity(path: input) == own else { continue }
      throw UsageError(
        "output-is-input", at: output, "the output would replace a file that is being read",
        hint: "choose another output")
    }
  }
}
