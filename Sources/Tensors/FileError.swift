import Glibc

/// A file operation that the system or one of our own checks refused.
public struct FileError: ReportedError, Hashable {
  /// What went wrong.
  public enum Kind: String, Hashable, Sendable {
    /// The path is empty, ends in a slash or holds a NUL.
    case invalidPath = "invalid-path"
    /// There is nothing at the path.
    case notFound = "file-not-found"
    /// The folder of an output does not exist.
    case missingFolder = "missing-folder"
    /// The path leads to a folder, a pipe, a socket or a device.
    case notARegularFile = "not-a-regular-file"
    /// An output would replace a file that is being read.
    case outputIsInput = "output-is-input"
    /// The system did not let us open or create the file.
    case openFailed = "open-failed"
    /// Reading failed, or the file ended early.
    case readFailed = "read-failed"
    /// Writing failed, as on a full disk.
    case writeFailed = "write-failed"
    /// The bytes do not fit into memory.
    case outOfMemory = "out-of-memory"

    /// The category, which decides the exit status: naming an input as the output is a usage error.
    public var category: FailureCategory {
      switch self {
      case .outputIsInput: .usage
      case .outOfMemory: .overLimit
      default: .inputOutput
      }
    }
  }

  /// What went wrong.
  public var kind: Kind

  /// The path as the user gave it, escaped.
  public var place: String

  /// One sentence, with the numbers.
  public var message: String

  /// What the user can do about it.
  public var hint: String?

  /// An error about the file at `path`.
  public init(_ kind: Kind, path: String, _ message: String, hint: String? = nil) {
    self.kind = kind
    self.place = path.escapedForTerminal
    self.message = message
    self.hint = hint
  }

  /// An error for a system call that just failed with `errno`.
  init(_ kind: Kind, path: String, failedTo action: String, errno number: Int32 = errno) {
    let reason = String(cString: strerror(number))
    self.init(
      number == ENOENT && kind == .openFailed ? .notFound : kind, path: path,
      "Cannot \(action): \(reason).")
  }

  /// The kind as a kebab-case word.
  public var code: String { kind.rawValue }

  /// The category of the kind.
  public var category: FailureCategory { kind.category }
}

extension String {
  /// The text with control characters, line separators and direction marks written as `\u{…}`.
  ///
  /// Names from files and paths pass through it before they reach a message.
  public var escapedForTerminal: String {
    var result = ""
    for scalar in unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned:
        result += "\\u{" + String(scalar.value, radix: 16) + "}"
      default:
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
