import Glibc

/// A file in memory that has a path, for readers that open files.
public enum MemoryFile {
  private static let path = "/dev/shm/ditcache-fuzz-\(getpid())"
  private static let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)

  /// Calls `body` with the path of a file that holds the bytes.
  public static func withPath(_ bytes: UnsafeRawBufferPointer, _ body: (String) -> Void) {
    guard ftruncate(descriptor, 0) == 0,
      pwrite(descriptor, bytes.baseAddress, bytes.count, 0) == bytes.count
    else { return }
    body(path)
  }
}

/// Ends the process: what was found is a bug.
public func found(_ text: String) -> Never {
  _ = "found: \(text)\n".withCString { write(STDERR_FILENO, $0, strlen($0)) }
  abort()
}
