import Foundation

/// Text that is printed if the process crashes or hangs, so that a random test can be repeated.
package enum CrashNote {
  private static let capacity = 512
  private static let note = Holder()

  /// The bytes of the note; a signal handler reads them whenever it must.
  private final class Holder: @unchecked Sendable {
    let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    var count = 0
  }

  private static let installation: Void = {
    for signal in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGABRT, SIGALRM] {
      _ = Glibc.signal(signal) { number in
        CrashNote.writeNote()
        _ = Glibc.signal(number, SIG_DFL)
        raise(number)
      }
    }
  }()

  /// Sets the note, and ends the process if no other one is set within `seconds`.
  package static func set(_ text: String, seconds: UInt32 = 60) {
    installation
    note.count = 0
    let bytes = Array("\nwhile testing: \(text)\n".utf8.prefix(capacity))
    for (index, byte) in bytes.enumerated() { note.bytes[index] = byte }
    note.count = bytes.count
    alarm(seconds)
  }

  /// Ends the watch.
  package static func clear() {
    note.count = 0
    alarm(0)
  }

  private static func writeNote() {
    _ = write(STDERR_FILENO, note.bytes, note.count)
  }
}
