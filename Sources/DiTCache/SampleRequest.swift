public import Diffusion

extension SampleJob {
  /// What a model is asked to denoise.
  public struct Request: Sendable {
    /// Words for the model's prompt table, or a class.
    public var prompt: String?
    /// An archive of token numbers for the text encoder.
    public var promptIDsPath: String?
    /// An archive of inputs; what it holds wins over the other fields.
    public var inputsPath: String?
    /// The scheduler; nil takes the adapter's.
    public var scheduler: SchedulerName?
    /// Scheduler steps; nil takes the schedule's, then the adapter's.
    public var steps: Int?
    /// The shift; nil takes the adapter's.
    public var shift: Double?
    /// The guidance scale; nil takes the adapter's when there is a prompt.
    public var guidance: Double?
    /// How many samples of the prompt, each with noise of its own.
    public var samples = 1
    /// The seed of the noise.
    public var seed: UInt64 = 0

    /// A request with its defaults.
    public init() {}

    /// Takes the scheduler by its name; nil leaves it to the adapter.
    public mutating func setScheduler(_ name: String?) throws {
      scheduler = try name.map { try OptionWord.parse($0, option: "--scheduler") }
    }
  }
}
