public import Tensors

/// Why a model cannot be profiled.
public struct ProfilingError: ReportedError, Hashable {
  /// A kebab-case word that never changes.
  public let code: String
  /// The block, option or file.
  public let place: String
  /// What is wrong.
  public let message: String
  /// What to do about it.
  public let hint: String?
  /// The kind of failure.
  public let category: FailureCategory

  /// An error about profiling.
  public init(
    _ code: String, at place: String, _ message: String, hint: String? = nil,
    category: FailureCategory = .unsupported
  ) {
    self.code = code
    self.place = place
    self.message = message
    self.hint = hint
    self.category = category
  }

  /// None of some runs has a mask that separates anything.
  public static func noForeground(runs: Int) -> ProfilingError {
    ProfilingError(
      "no-foreground", at: "mask",
      runs == 1
        ? "the mask makes no token foreground, or all"
        : "none of \(runs) masks makes some tokens foreground and others not",
      hint: "choose a prompt with a clear subject, --mask-step or --mask-source, or supply --masks "
        + "or --segmenter", category: .badModel)
  }
}
