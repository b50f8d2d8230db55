import DiTCache
import Foundation

/// The three files that every process is given, whatever its parent did with them.
enum StandardStreams {
  /// Makes closed ones lead nowhere, so that no output file gets their number, and makes writing to
  /// a pipe that nobody reads, or past a limit, an error instead of a signal: work in progress is
  /// not cut off.
  static func prepare() {
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
      _ = open("/dev/null", O_RDWR)
    }
  }

  /// Brings results to their reader, or says that they did not arrive.
  static func finish() throws {
    while fflush(nil) != 0 {
      if errno == EINTR { continue }
      throw UsageError.lost(
        "results-lost", at: "standard output",
        "the results could not be written: \(String(cString: strerror(errno)))")
    }
  }
}
