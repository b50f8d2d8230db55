import Glibc

/// Which file a path leads to, whatever the path looks like.
public struct FileIdentity: Hashable, Sendable {
  let device: UInt
  let inode: UInt

  init(_ status: stat) {
    device = UInt(status.st_dev)
    inode = UInt(status.st_ino)
  }

  /// The identity of the file at `path`, links followed; nil when there is none.
  public init?(path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    self.init(status)
  }
}

/// A regular file, opened once for reading and closed when the last holder goes.
///
/// All reading goes through the one descriptor, so that swapping the path afterwards changes
/// nothing. Reads are positioned: holders on several threads do not disturb one another.
public final class InputFile: Sendable {
  /// The path the file was opened by.
  public let path: String

  /// The size when it was opened.
  public let byteCount: Int

  /// The number of names the file has; more than one means hard links.
  public let linkCount: Int

  /// Which file this is.
  public let identity: FileIdentity

  package let descriptor: Int32

  /// Opens a regular file.
  ///
  /// Never blocks: pipes, sockets, devices and folders are refused. With `followingLinks` false
  /// a symbolic link as the last component is refused too.
  public convenience init(path: String, followingLinks: Bool = true) throws(FileError) {
    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw FileError(
        .invalidPath, path: path,
        "The path is empty or holds a NUL.")
    }
    let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | (followingLinks ? 0 : O_NOFOLLOW)
    let descriptor = open(path, flags)
    guard descriptor >= 0 else {
      throw FileError(.openFailed, path: path, failedTo: "open the file")
    }
    try self.init(adopting: descriptor, path: path)
  }

  /// Takes over a descriptor opened for reading, and closes it even when this initialiser throws.
  package init(adopting descriptor: Int32, path: String) throws(FileError) {
    self.descriptor = descriptor
    self.path = path
    var status = stat()
    let isKnown = fstat(descriptor, &status) == 0
    byteCount = Int(status.st_size)
    linkCount = Int(status.st_nlink)
    identity = FileIdentity(status)
    guard isKnown else { throw FileError(.openFailed, path: path, failedTo: "inspect the file") }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw FileError(
        .notARegularFile, path: path,
        "It is not a regular file.")
    }
  }

  deinit {
    close(descriptor)
  }

  /// Fills `buffer` from `offset`; an error when the file ends before that.
  public func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(FileError) {
    try check(offset: offset, byteCount: buffer.count)
    guard let base = buffer.baseAddress else { return }
    var done = 0
    while done < buffer.count {
      let count = pread(descriptor, base + done, buffer.count - done, off_t(offset + done))
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw FileError(.readFailed, path: path, failedTo: "read the file") }
      guard count > 0 else {
        throw FileError(
          .readFailed, path: path,
          "The file became shorter while it was read.")
      }
      done += count
    }
  }

  /// The bytes of one range, read into an array.
  public func bytes(at offset: Int, count: Int) throws(FileError) -> [UInt8] {
    try check(offset: offset, byteCount: count)
    var failure: FileError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initializedCount in
      do throws(FileError) {
        try read(
          into: UnsafeMutableRawBufferPointer(
            rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count]),
          at: offset)
        initializedCount = count
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return bytes
  }

  /// One range read into fresh storage.
  public func read(at offset: Int, byteCount: Int) throws(FileError) -> TensorStorage {
    try check(offset: offset, byteCount: byteCount)
    guard let storage = TensorStorage(ifAvailable: byteCount) else {
      throw FileError(
        .outOfMemory, path: path, "There is no memory for \(byteCount) bytes of the file.")
    }
    try read(
      into: UnsafeMutableRawBufferPointer(start: storage.base, count: byteCount), at: offset)
    return storage
  }

  /// One range mapped read-only: pages are loaded when touched and shared with other processes.
  ///
  /// Writing to the storage is a crash, and so is touching it after somebody shortened the file:
  /// map only files that nobody changes in place. `base` is aligned as `offset` is.
  public func map(at offset: Int, byteCount: Int) throws(FileError) -> TensorStorage {
    try check(offset: offset, byteCount: byteCount)
    guard byteCount > 0 else { return TensorStorage(byteCount: 0) }
    let lead = offset % Int(sysconf(Int32(_SC_PAGESIZE)))
    let length = lead + byteCount
    let pages = mmap(nil, length, PROT_READ, MAP_PRIVATE, descriptor, off_t(offset - lead))
    guard let pages, pages != MAP_FAILED else {
      throw FileError(.readFailed, path: path, failedTo: "map the file")
    }
    return TensorStorage(base: pages + lead, byteCount: byteCount) { base in
      munmap(base - lead, length)
    }
  }

  private func check(offset: Int, byteCount: Int) throws(FileError) {
    let (end, overflow) = offset.addingReportingOverflow(byteCount)
    guard offset >= 0, byteCount >= 0, !overflow, end <= self.byteCount else {
      throw FileError(
        .readFailed, path: path,
        "The file has \(self.byteCount) bytes; bytes \(offset) + \(byteCount) lie outside.")
    }
  }
}
