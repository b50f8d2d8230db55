public import Foundation

/// Paths of the files that tests read.
public enum Fixtures {
  /// The package's folder.
  public static let package = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// The path of a file or folder of `Tests/Fixtures`.
  public static func path(_ name: String) -> String {
    package.appending(path: "Tests/Fixtures/\(name)").path(percentEncoded: false)
  }

  /// The path of an export or its golden data, such as `wan.onnx`.
  public static func corpus(_ name: String) -> String { "\(unpacked)/corpus/\(name)" }

  /// The path of a recording of a caching system's official code, such as `wan_fbc.npz`.
  public static func peer(_ name: String) -> String { "\(unpacked)/peers/\(name)" }

  /// The path of a recording of an independent implementation, such as `wan_teacache_ret.npz`.
  public static func oracle(_ name: String) -> String { "\(unpacked)/oracles/\(name)" }

  /// The folder that `Tests/Fixtures/unpack` made of `corpus.tar.xz`, or what it said instead.
  public static let unpacked = unpack("corpus.tar.xz")

  /// The folder of ONNX's node cases, made of `operators/cases.tar.xz`.
  public static let operatorCases = unpack("operators/cases.tar.xz")

  private static func unpack(_ archive: String) -> String {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: path("unpack"))
    process.arguments = [archive]
    process.standardOutput = output
    do { try process.run() } catch { return "Tests/Fixtures/unpack: \(error)" }
    let printed = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: printed, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// The bytes of a file of `Tests/Fixtures`.
  public static func bytes(_ name: String) throws -> [UInt8] {
    try [UInt8](Data(contentsOf: URL(filePath: path(name))))
  }
}

/// An empty folder that goes away with the value.
public final class TemporaryFolder: Sendable {
  /// The path of the folder, without a slash at its end.
  public let path: String

  /// Makes a folder under the system's folder for temporary files.
  ///
  /// One that is `inMemory` is on a file system without a disk where there is one: tests that write
  /// thousands of files need not wait until each is safe.
  public init(inMemory: Bool = false) throws {
    let memory = "/dev/shm"
    let isUsable = inMemory && FileManager.default.isWritableFile(atPath: memory)
    let url = (isUsable ? URL(filePath: memory) : FileManager.default.temporaryDirectory)
      .appending(path: "ditcache-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path(percentEncoded: false)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  /// The path of a file in the folder, which need not exist.
  public func path(_ name: String) -> String { "\(path)/\(name)" }

  /// Writes a file and gives its path.
  @discardableResult
  public func write(_ bytes: [UInt8], to name: String) throws -> String {
    try Data(bytes).write(to: URL(filePath: path(name)))
    return path(name)
  }

  /// The bytes of a file in the folder.
  public func bytes(_ name: String) throws -> [UInt8] {
    try [UInt8](Data(contentsOf: URL(filePath: path(name))))
  }

  /// The names of everything in the folder, sorted.
  public var names: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
  }
}
