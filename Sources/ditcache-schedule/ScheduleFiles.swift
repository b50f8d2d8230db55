import Foundation
import ScheduleLanguage

/// A file that cannot be read or written.
struct FileError: Error {
  /// What failed, in one sentence.
  var message: String
}

/// Reads schedule files within the size limit and writes results in one piece.
enum ScheduleFiles {
  /// The content of a file; one byte past the limit is enough for the lexer to refuse it.
  static func read(_ path: String) throws(FileError) -> SourceFile {
    do {
      let handle = try FileHandle(forReadingFrom: URL(filePath: path))
      defer { try? handle.close() }
      let data = try handle.read(upToCount: Limits.fileByteCount + 1) ?? Data()
      return SourceFile(path: path, bytes: Array(data))
    } catch {
      throw FileError(message: "'\(path)' cannot be read: \(reason(error))")
    }
  }

  /// A file that another one imports: beneath the folder of that one, or among those given.
  static func imported(
    _ name: String, from path: String, beside paths: [String]
  ) throws -> SourceFile {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    guard !parts.contains(".."), !parts.contains(""), !name.contains("\\") else {
      throw FileError(message: "'\(name)' leads out of the folder")
    }
    let folder = URL(filePath: path).deletingLastPathComponent()
    let own = folder.appending(path: name).path(percentEncoded: false)
    if FileManager.default.fileExists(atPath: own) { return try read(own) }
    guard let other = paths.first(where: { URL(filePath: $0).lastPathComponent == name }) else {
      throw FileError(message: "'\(name)' does not exist")
    }
    return try read(other)
  }

  /// Replaces a file; it is whole at any moment.
  static func write(_ text: String, to path: String) throws(FileError) {
    do {
      try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
    } catch {
      throw FileError(message: "'\(path)' cannot be written: \(reason(error))")
    }
  }

  private static func reason(_ error: any Error) -> String {
    guard let error = error as? CocoaError else { return "\(error)" }
    return switch error.code {
    case .fileNoSuchFile, .fileReadNoSuchFile: "it does not exist"
    case .fileReadNoPermission, .fileWriteNoPermission: "permission is denied"
    default: error.localizedDescription
    }
  }
}
