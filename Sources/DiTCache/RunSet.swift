/// Prompts and seeds, and how each run is made.
public struct RunSet: Sendable {
  /// Scheduler, steps, shift, guidance, or an archive of inputs; prompt and seed are not read.
  public var sample: SampleJob.Request
  /// The prompts; empty for a model without, and with an archive of inputs.
  public var prompts: [String]
  /// The seeds, each with every prompt.
  public var seeds: [UInt64]

  /// One run.
  public struct Run: Hashable, Sendable {
    /// The prompt, if there is one.
    public let prompt: String?
    /// The seed; nil for inputs from an archive.
    public let seed: UInt64?
  }

  /// A set of runs.
  public init(sample: SampleJob.Request, prompts: [String], seeds: [UInt64]) {
    self.sample = sample
    self.prompts = prompts
    self.seeds = seeds
  }

  /// Every prompt with every seed; an archive of inputs is one run.
  public var runs: [Run] {
    if sample.inputsPath != nil { return [Run(prompt: nil, seed: nil)] }
    let prompts: [String?] = prompts.isEmpty ? [nil] : prompts
    return prompts.flatMap { prompt in seeds.map { Run(prompt: prompt, seed: $0) } }
  }
}
