import Foundation

/// What a tuned schedule has to keep.
public struct Promise: Hashable, Sendable {
  /// What is promised.
  public enum Measure: String, CaseIterable, Sendable {
    /// Peak signal-to-noise ratio beside the uncached run, in dB.
    case psnr
    /// Structural similarity beside the uncached run.
    case ssim
    /// Calls of the uncached run divided by those that compute, weighted by FLOPs.
    case speedup
  }

  /// What is promised.
  public let measure: Measure
  /// How much of it.
  public let bound: Double
  /// Whether every sample has to keep it, not only their mean.
  public var isForEverySample = false

  /// Reads `psnr=30`; `psnr >= 30` is the same.
  public init(_ text: String) throws {
    let parts = text.replacing(">=", with: "=").split(separator: "=", maxSplits: 1)
      .map { $0.trimmingCharacters(in: .whitespaces) }
    guard parts.count == 2, let bound = Double(parts[1]), bound.isFinite, bound > 0 else {
      throw UsageError(
        "bad-promise", at: "--at-least \(text)", "a measure and a number were expected",
        hint: "such as psnr=30, ssim=0.95 or speedup=2.5")
    }
    measure = try OptionWord.parse(parts[0], option: "--at-least")
    self.bound = bound
    guard measure != .speedup || bound >= 1, measure != .ssim || bound <= 1 else {
      throw UsageError(
        "bad-promise", at: "--at-least \(text)",
        measure == .speedup ? "a speed-up is 1 or more" : "a similarity is at most 1")
    }
  }

  /// Whether a trial keeps it.
  func isKept(by trial: Trial) -> Bool {
    measure == .speedup ? trial.computed * bound <= 1 + 1e-9 : value(of: trial) >= bound
  }

  /// What the trial has of it; for a speed-up the PSNR, which is made as high as it goes.
  func value(of trial: Trial) -> Double {
    let values = measure == .ssim ? trial.ssim : trial.psnr
    return isForEverySample ? values.min() ?? 0 : Trial.mean(values)
  }

  /// Whether one trial is better than another.
  func prefers(_ one: Trial, to other: Trial) -> Bool {
    let kept = (isKept(by: one), isKept(by: other))
    if kept.0 != kept.1 { return kept.0 }
    let isFaster = (one.computed, -value(of: one)) < (other.computed, -value(of: other))
    let isCloser = (-value(of: one), one.computed) < (-value(of: other), other.computed)
    if !kept.0 { return measure == .speedup ? isFaster : isCloser }
    return measure == .speedup ? isCloser : isFaster
  }

  /// The promise in words.
  var text: String {
    switch measure {
    case .psnr: "PSNR ≥ \(Self.short(bound)) dB\(scope)"
    case .ssim: "SSIM ≥ \(Self.short(bound))\(scope)"
    case .speedup: "speed-up ≥ \(Self.short(bound)) by FLOPs"
    }
  }

  private var scope: String { isForEverySample ? " for every sample" : " on average" }

  private static func short(_ value: Double) -> String { String(format: "%g", value) }
}

/// How long a search may go on.
public struct RunBudget: Hashable, Sendable {
  /// The most denoising loops; nil has no bound.
  public private(set) var runs: Int?
  private var deadline: ContinuousClock.Instant?

  /// Reads `300`, a number of runs, or `90s`, `10m`, `1h`.
  public init(_ text: String) throws {
    let scale = ["s": 1, "m": 60, "h": 3600][text.last.map(String.init) ?? ""]
    let digits = scale == nil ? Substring(text) : text.dropLast()
    guard let number = Int(digits), (1...1_000_000).contains(number) else {
      throw UsageError(
        "bad-budget", at: "--budget \(text)", "a number of runs or a time was expected",
        hint: "such as 300 or 10m")
    }
    if let scale {
      deadline = ContinuousClock.now + .seconds(number * scale)
    } else {
      runs = number
    }
  }

  /// What one of `count` equal searches may take of what is left after `used` runs.
  func share(of count: Int, after used: Int) -> RunBudget {
    var share = self
    share.runs = runs.map { used + max(0, $0 - used) / max(1, count) }
    share.deadline = deadline.map { deadline in
      let now = ContinuousClock.now
      return now + max(.zero, now.duration(to: deadline)) / max(1, count)
    }
    return share
  }

  /// Whether `count` more runs after `used` are allowed.
  func allows(_ count: Int, after used: Int) -> Bool {
    if let deadline, ContinuousClock.now >= deadline { return false }
    return runs.map { used + count <= $0 } ?? true
  }
}
