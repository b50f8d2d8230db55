public import GraphIR
public import ScheduleLanguage

/// Which graph input is what, for one model.
public struct InputRoles: Hashable, Sendable {
  /// Noisy latents.
  public var latents: Name
  /// The timestep, one number a sample.
  public var timestep: Name
  /// What a noise level of 1 is as a timestep.
  public var timestepMultiplier: Double
  /// Token embeddings of the text, (B, tokens, width).
  public var text: [Name]
  /// Which tokens of the text count, (B, tokens).
  public var masks: [Name]
  /// One embedding of each text, (B, width).
  public var pooled: [Name]
  /// The name of the files beside the model that turn words into embeddings.
  public var promptTable: String?
  /// The input of a class number and the class that stands for none.
  public var classLabel: ClassLabel?
  /// Further inputs, such as image latents.
  public var extras: [Name]
  /// What the model does about guidance.
  public var guidance: Guidance
  /// The guidance scale the model's authors use.
  public var guidanceScale: Double?
  /// The scheduler the model's authors use, as adapters name it.
  public var scheduler: String?
  /// The shift of the flow-matching noise levels.
  public var shift: Double
  /// The number of steps the model's authors use.
  public var steps: Int?
  /// Other names of block families.
  public var aliases: [String: String]

  /// What a model does about classifier-free guidance.
  public enum Guidance: Hashable, Sendable {
    /// One call a step.
    case none
    /// One call a step on a doubled batch, unconditional half first.
    case batched
    /// Two calls a step, unconditional first.
    case sequential
    /// One call a step; the scale times a multiplier is an input.
    case embedded(input: Name, multiplier: Double)
  }

  /// The input of a class number.
  public struct ClassLabel: Hashable, Sendable {
    /// The input, one integer a sample.
    public var input: Name
    /// The class of the unconditional branch.
    public var none: Int

    /// An input and its empty class.
    public init(input: Name, none: Int) {
      self.input = input
      self.none = none
    }
  }

  /// Roles without an adapter file.
  public init(
    latents: Name, timestep: Name, timestepMultiplier: Double = 1000, text: [Name] = [],
    masks: [Name] = [], pooled: [Name] = [], promptTable: String? = nil,
    classLabel: ClassLabel? = nil, extras: [Name] = [], guidance: Guidance = .none,
    guidanceScale: Double? = nil, scheduler: String? = nil, shift: Double = 1, steps: Int? = nil,
    aliases: [String: String] = [:]
  ) {
    self.latents = latents
    self.timestep = timestep
    self.timestepMultiplier = timestepMultiplier
    self.text = text
    self.masks = masks
    self.pooled = pooled
    self.promptTable = promptTable
    self.classLabel = classLabel
    self.extras = extras
    self.guidance = guidance
    self.guidanceScale = guidanceScale
    self.scheduler = scheduler
    self.shift = shift
    self.steps = steps
    self.aliases = aliases
  }

  /// Everything that describes the text: embeddings, masks, pooled embeddings.
  public var conditioning: [Name] { text + masks + pooled }
}

extension InputRoles {
  /// The roles that an adapter gives the inputs of a graph.
  ///
  /// - Parameters:
  ///   - adapter: a checked adapter
  ///   - graph: the model; every input that the adapter names must exist
  ///   - renames: the model's own input for an input that the adapter names, or for a role word such
  ///     as `latents`; for stripped models
  /// - Throws: `AdapterError` with the first input that the model does not have
  public init(
    _ adapter: AdapterDescription, of graph: Graph, renames: [String: String] = [:]
  ) throws(AdapterError) {
    let known = Set(graph.requiredInputs.map { graph.name(of: $0) })
    func input(_ name: String) throws(AdapterError) -> Name {
      let own = Name(adapter.ownName(of: name, roles: renames))
      guard known.contains(own) else {
        let listed = graph.requiredInputs.map { "'\(graph.name(of: $0))'" }.joined(separator: ", ")
        throw AdapterError(
          "missing-input", at: "adapter '\(adapter.name)'",
          "the model has no input '\(own)'; it has \(listed)",
          hint: "choose another adapter with --adapter, or name the input with --role \(name)=NAME")
      }
      return own
    }
    func inputs(_ names: [String]) throws(AdapterError) -> [Name] {
      var result: [Name] = []
      for name in names { result.append(try input(name)) }
      return result
    }
    latents = try input(adapter.latents)
    timestep = try input(adapter.timestep)
    timestepMultiplier = adapter.timestepMultiplier
    text = try inputs(adapter.text)
    masks = try inputs(adapter.masks)
    pooled = try inputs(adapter.pooled)
    promptTable = adapter.promptTable
    if let label = adapter.classLabel {
      classLabel = ClassLabel(input: try input(label.input), none: label.none)
    }
    extras = try inputs(adapter.extras)
    switch adapter.guidance {
    case .none: guidance = .none
    case .batched: guidance = .batched
    case .sequential: guidance = .sequential
    case .embedded(let name, let multiplier):
      guidance = .embedded(input: try input(name), multiplier: multiplier)
    }
    guidanceScale = adapter.guidanceScale
    scheduler = adapter.scheduler
    shift = adapter.shift
    steps = adapter.steps
    aliases = adapter.aliases
  }
}
