/// What kind of thing went wrong; the command line turns it into its exit status.
public enum FailureCategory: Hashable, Sendable {
  /// A check ran and did not hold.
  case checkFailed
  /// A model or tensor file is not what it should be.
  case badModel
  /// A schedule or an adapter is wrong.
  case badSchedule
  /// The input is valid, but this version cannot handle it.
  case unsupported
  /// A named limit was passed.
  case overLimit
  /// The operating system refused to read or write.
  case inputOutput
  /// Arguments or feeds do not fit the model or each other.
  case usage
  /// A fault of this software.
  case internalFault
}

/// An error that people read: a stable code, a place, one sentence and a hint.
public protocol ReportedError: Error, Sendable, CustomStringConvertible {
  /// A kebab-case word that never changes, such as `external-data-missing`.
  var code: String { get }
  /// Where it happened: a file, a node, a tensor; empty when there is no place.
  var place: String { get }
  /// What is wrong, in one sentence, with the numbers.
  var message: String { get }
  /// What to do about it.
  var hint: String? { get }
  /// The kind of failure.
  var category: FailureCategory { get }
}

extension ReportedError {
  /// The parts in reading order, on one or two lines.
  public var description: String {
    let head = place.isEmpty ? message : "\(place): \(message)"
    return hint.map { "\(head)\n  hint: \($0)" } ?? head
  }
}
