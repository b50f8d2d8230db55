import Glibc

/// A file being written that appears under its name whole or not at all.
///
/// Bytes go to a file without a name in the destination's folder. `commit()` syncs it, names it,
/// renames it over the destination and syncs the folder. A writer that fails, or a process that is
/// killed, leaves nothing behind and the old file, if any, untouched. File systems that have no
/// files without names (`O_TMPFILE`) get a temporary one, which a killed process leaves:
///
/// ```swift
/// var file = try DurableFile(replacing: path)
/// try file.write(bytes)
/// try file.commit()
/// ```
///
/// To publish several files as one, write and `seal()` all of them first, then commit the one
/// that refers to the others last.
public struct DurableFile: ~Copyable {
  /// The destination.
  public let path: String

  /// Bytes accepted so far.
  public private(set) var byteCount = 0

  private let temporaryPath: String
  private let name: String
  private let temporaryName: String
  private let folder: Int32
  private let descriptor: Int32
  private var isNamed: Bool
  private var pending: [UInt8] = []
  private var isSealed = false
  private var isCommitted = false

  private static let bufferByteCount = 1 << 18

  /// Opens a temporary file beside `path`.
  ///
  /// The folder must exist. A regular file at `path` will be replaced and its permissions kept; a
  /// symbolic link will be replaced, never written through. Refuses to replace any of `inputs`.
  public init(replacing path: String, inputs: Set<FileIdentity> = []) throws(FileError) {
    let (folderPath, name) = DurableFile.split(path)
    guard !path.utf8.contains(0), !name.isEmpty, name != ".", name != ".." else {
      throw FileError(
        .invalidPath, path: path,
        "The path does not name a file that can be written.")
    }
    let mode = try DurableFile.modeOfReplaced(path, inputs: inputs)
    let folder = open(folderPath, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else {
      let error = FileError(.openFailed, path: path, failedTo: "open its folder")
      guard errno == ENOENT || errno == ENOTDIR else { throw error }
      throw FileError(
        .missingFolder, path: path,
        "The folder '\(folderPath.escapedForTerminal)' does not exist.",
        hint: "Create it, or write elsewhere.")
    }
    let temporaryName = ".ditcache-" + String(UInt64.random(in: 0 ... .max), radix: 16)
    var descriptor = DurableFile.openUnnamed(in: folder)
    let isNamed = descriptor < 0
    if isNamed {
      let flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
      descriptor = openat(folder, temporaryName, flags, mode_t(0o666))
    }
    guard descriptor >= 0 else {
      let error = FileError(.openFailed, path: path, failedTo: "create a file beside it")
      close(folder)
      throw error
    }
    if let mode { fchmod(descriptor, mode) }
    self.path = path
    self.name = name
    self.temporaryName = temporaryName
    temporaryPath = folderPath + "/" + temporaryName
    self.folder = folder
    self.descriptor = descriptor
    self.isNamed = isNamed
  }

  deinit {
    if isNamed, !isCommitted { unlinkat(folder, temporaryName, 0) }
    close(descriptor)
    close(folder)
  }

  /// Appends bytes.
  public mutating func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    precondition(!isSealed, "write after seal")
    byteCount += bytes.count
    if pending.count + bytes.count <= DurableFile.bufferByteCount {
      pending.append(contentsOf: bytes)
      return
    }
    try flush()
    try writeThrough(bytes)
  }

  /// Appends `count` bytes from `pointer`.
  public mutating func write(_ pointer: UnsafeRawPointer, count: Int) throws(FileError) {
    try write(UnsafeRawBufferPointer(start: pointer, count: count))
  }

  /// Appends bytes.
  public mutating func write(_ bytes: [UInt8]) throws(FileError) {
    var failure: FileError?
    bytes.withUnsafeBytes { buffer in
      do throws(FileError) { try write(buffer) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// Appends zero bytes.
  public mutating func writeZeros(count: Int) throws(FileError) {
    let zeros = [UInt8](repeating: 0, count: min(count, DurableFile.bufferByteCount))
    var remaining = count
    while remaining > 0 {
      let chunk = min(remaining, zeros.count)
      try write(chunk == zeros.count ? zeros : Array(zeros[..<chunk]))
      remaining -= chunk
    }
  }

  /// Brings all bytes to the disk, still under the temporary name; nothing can be written after.
  ///
  /// A sync that failed is not tried again: the kernel may already have dropped the bytes.
  public mutating func seal() throws(FileError) {
    guard !isSealed else { return }
    try flush()
    isSealed = true
    guard fsync(descriptor) == 0 else {
      throw FileError(.writeFailed, path: path, failedTo: "bring the bytes to disk")
    }
  }

  /// What was written, read back through the same descriptor before it gets its name.
  public mutating func readBack() throws(FileError) -> InputFile {
    try flush()
    let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
    guard copy >= 0 else {
      throw FileError(.readFailed, path: path, failedTo: "read the bytes back")
    }
    return try InputFile(adopting: copy, path: path)
  }

  /// Gives the bytes a hidden name beside the destination, by which they can be read before
  /// `commit`, and returns its path.
  public mutating func giveTemporaryName() throws(FileError) -> String {
    try flush()
    guard !isNamed else { return temporaryPath }
    let file = DurableFile.openFiles + "/\(descriptor)"
    guard linkat(AT_FDCWD, file, folder, temporaryName, AT_SYMLINK_FOLLOW) == 0 else {
      throw FileError(.writeFailed, path: path, failedTo: "name the file")
    }
    isNamed = true
    return temporaryPath
  }

  /// Which file this is, before and after it gets its name.
  public var identity: FileIdentity? {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? FileIdentity(status) : nil
  }

  /// Seals the file and gives it its name, or another one in the same folder.
  ///
  /// An error while its folder is synced, the last step, leaves the new file in place.
  public consuming func commit(as otherName: String? = nil) throws(FileError) {
    try seal()
    _ = try giveTemporaryName()
    guard renameat(folder, temporaryName, folder, otherName ?? name) == 0 else {
      throw FileError(.writeFailed, path: path, failedTo: "put the file in place")
    }
    isCommitted = true
    guard fsync(folder) == 0 || errno == EINVAL else {
      throw FileError(.writeFailed, path: path, failedTo: "bring the name to disk")
    }
  }

  /// A file that has no name and goes away with its descriptor; negative where there are none.
  private static func openUnnamed(in folder: Int32) -> Int32 {
    guard access(openFiles, X_OK) == 0 else { return -1 }
    return openat(folder, ".", temporaryFile | O_RDWR | O_CLOEXEC, mode_t(0o666))
  }

  /// Where Linux shows the descriptors of a process as links.
  private static let openFiles = "/proc/self/fd"

  /// `O_TMPFILE` of Linux, which is a macro that Swift does not import.
  private static let temporaryFile: Int32 = 0o20_000_000 | O_DIRECTORY

  private mutating func flush() throws(FileError) {
    guard !pending.isEmpty else { return }
    var bytes: [UInt8] = []
    swap(&bytes, &pending)
    var failure: FileError?
    bytes.withUnsafeBytes { buffer in
      do throws(FileError) { try writeThrough(buffer) } catch { failure = error }
    }
    bytes.removeAll(keepingCapacity: true)
    swap(&bytes, &pending)
    if let failure { throw failure }
  }

  private func writeThrough(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    guard let base = bytes.baseAddress else { return }
    var done = 0
    while done < bytes.count {
      let count = Glibc.write(descriptor, base + done, bytes.count - done)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        throw FileError(.writeFailed, path: path, failedTo: "write the bytes")
      }
      done += count
    }
  }

  private static func split(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return (".", path) }
    let folder = String(path[..<slash])
    return (folder.isEmpty ? "/" : folder, String(path[path.utf8.index(after: slash)...]))
  }

  private static func modeOfReplaced(
    _ path: String, inputs: Set<FileIdentity>
  ) throws(FileError) -> mode_t? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    guard !inputs.contains(FileIdentity(status)) else {
      throw FileError(
        .outputIsInput, path: path,
        "The output would replace a file that is being read.",
        hint: "Choose another output.")
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw FileError(
        .notARegularFile, path: path,
        "It is not a regular file, so it is not replaced.")
    }
    return status.st_mode & 0o777
  }
}
