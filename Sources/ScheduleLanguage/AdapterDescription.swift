/// How a model's inputs and guidance are to be used, as an adapter file says it.
public struct AdapterDescription: Hashable, Sendable {
  /// What a model does about classifier-free guidance.
  public enum Guidance: Hashable, Sendable {
    /// One call a step, no guidance.
    case none
    /// One call a step on a doubled batch, unconditional half first.
    case batched
    /// Two calls a step, each branch with its own state.
    case sequential
    /// One call a step; the scale is an input, fed as `scale * multiplier`.
    case embedded(input: String, multiplier: Double)
  }

  /// The input of a class number and the class that stands for none.
  public struct ClassLabel: Hashable, Sendable {
    /// The input, one integer a sample.
    public var input: String
    /// The class of the unconditional branch.
    public var none: Int
  }

  /// The name that schedules refer to with `for`.
  public var name: String
  /// The input of noisy latents.
  public var latents: String
  /// How many axes the latents have; nil when any number will do.
  public var latentsRank: Int?
  /// The input of the timestep.
  public var timestep: String
  /// What a noise level of 1 is as a timestep.
  public var timestepMultiplier: Double
  /// The inputs of token embeddings of the text.
  public var text: [String]
  /// The inputs that say which text tokens count.
  public var masks: [String]
  /// The inputs of one embedding per text.
  public var pooled: [String]
  /// The name of the files beside the model that turn words into embeddings.
  public var promptTable: String?
  /// The input of a class number.
  public var classLabel: ClassLabel?
  /// Further inputs that the host must feed, such as image latents.
  public var extras: [String]
  /// What the model does about guidance.
  public var guidance: Guidance
  /// The guidance scale its authors use.
  public var guidanceScale: Double?
  /// The scheduler its authors use, one of the names of the clause.
  public var scheduler: String?
  /// The shift of the flow-matching noise levels.
  public var shift: Double
  /// The number of steps its authors use.
  public var steps: Int?
  /// Other names of block families.
  public var aliases: [String: String]
  /// Block families by which a model is recognised.
  public var families: [String]
  /// Where the name is written.
  public var nameRange: SourceRange
  /// The file it was read from, for diagnostics.
  public var source: SourceFile

  /// Every input that the adapter names, latents first.
  public var inputs: [String] {
    var inputs = [latents, timestep] + text + masks + pooled + extras
    if let classLabel { inputs.append(classLabel.input) }
    if case .embedded(let input, _) = guidance { inputs.append(input) }
    return inputs
  }

  /// Ties problems found later to the file.
  public func error(_ problems: [Problem]) -> ScheduleError {
    ScheduleError(problems.map { Diagnostic($0, in: source) })
  }
}
