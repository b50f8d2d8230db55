import ScheduleLanguage
public import Tensors

/// The exit statuses of the command line.
public enum ExitStatus: Int32, Sendable {
  /// Done.
  case done = 0
  /// A check failed.
  case checkFailed = 1
  /// A bad model or tensor file.
  case badModel = 2
  /// A bad schedule or adapter.
  case badSchedule = 3
  /// Something that is not supported.
  case unsupported = 4
  /// A limit was passed.
  case overLimit = 5
  /// Reading or writing failed.
  case inputOutput = 6
  /// Wrong arguments or feeds.
  case usage = 64
  /// A fault of this software.
  case internalFault = 70

  /// The status for a kind of failure.
  public init(_ category: FailureCategory) {
    self =
      switch category {
      case .checkFailed: .checkFailed
      case .badModel: .badModel
      case .badSchedule: .badSchedule
      case .unsupported: .unsupported
      case .overLimit: .overLimit
      case .inputOutput: .inputOutput
      case .usage: .usage
      case .internalFault: .internalFault
      }
  }

  /// The status for any error that this library throws.
  public init(_ error: any Error) {
    switch error {
    case let error as any ReportedError: self.init(error.category)
    case let error as ScheduleError:
      self = error.diagnostics.contains(where: \.isLimit) ? .overLimit : .badSchedule
    default: self = .internalFault
    }
  }

  /// What to print for an error: place, sentence, hint; a schedule's lines with carets.
  public static func text(for error: any Error) -> String {
    switch error {
    case let error as any ReportedError: "ditcache: error: \(error.description)"
    case let error as ScheduleError: error.text
    default: "ditcache: error: \(error)"
    }
  }
}
