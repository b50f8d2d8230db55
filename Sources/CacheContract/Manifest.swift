import Foundation
public import GraphIR
public import Tensors

/// What a cached model says about itself, stored as JSON in its metadata.
public struct Manifest: Hashable, Sendable, Codable {
  /// The version of this layout.
  public var schema = 1
  /// Name and version of the tool that wrote the file.
  public var tool: String
  /// The schedule's name.
  public var schedule: String
  /// Scheduler steps that the tables were resolved for.
  public var steps: Int
  /// SHA-256 of the original file, lowercase hexadecimal.
  public var originalDigest: String
  /// The original's block families in execution order; a cached graph hides some.
  public var families: [String]
  /// The rules in the schedule's order.
  public var rules: [Rule]
  /// The sites in the order of `ditcache/override` and `ditcache/computed`.
  public var sites: [Site]
  /// State inputs and outputs, in graph order.
  public var state: [State]
  /// Control inputs that the graph reads.
  public var controls: [String]
  /// Numbers that a host may change.
  public var parameters: [Parameter]?
  /// What a host does when guidance makes two calls a step; nil leaves the branches apart.
  public var branches: Branches?
  /// The timesteps of the only run that the tables are right for; nil where they follow from the
  /// number of steps.
  public var timesteps: [Double]?
  /// The files of a model that is more than one; nil for a single file that decides by itself.
  public var form: Form?

  /// One rule of the schedule.
  public struct Rule: Hashable, Sendable, Codable {
    /// The rule's name.
    public var name: String
    /// One entry a step: true where the rule computes; empty for a rule that decides during the run.
    public var table: [Bool]
    /// What it compares; nil for a rule that reports no metric.
    public var metric: Metric?

    /// A rule, its resolved table and what it compares.
    public init(name: String, table: [Bool], metric: Metric? = nil) {
      self.name = name
      self.table = table
      self.metric = metric
    }
  }

  /// One cache node.
  public struct Site: Hashable, Sendable, Codable {
    /// The site id, such as `blocks.0-3`.
    public var name: String
    /// The rule it follows.
    public var rule: String
    /// How many blocks it owns.
    public var blocks: Int
    /// FLOPs that a reused step skips; nil when a size is unknown.
    public var flops: Int?
    /// FLOPs that a computed step adds to the model's own; nil for none.
    public var addedFlops: Int?

    /// A site.
    public init(name: String, rule: String, blocks: Int, flops: Int?, addedFlops: Int? = nil) {
      self.name = name
      self.rule = rule
      self.blocks = blocks
      self.flops = flops
      self.addedFlops = addedFlops
    }
  }

  /// One state input and the output that carries it on.
  public struct State: Hashable, Sendable, Codable {
    /// The graph input.
    public var input: String
    /// The graph output.
    public var output: String
    /// `float32` and the like.
    public var dataType: String
    /// Dimensions as text; symbols where they vary.
    public var shape: [String]
    /// True for the flag that says whether a rule's slots hold anything.
    public var isValidity: Bool

    /// A state pair.
    public init(
      input: String, output: String, dataType: String, shape: [String], isValidity: Bool
    ) {
      self.input = input
      self.output = output
      self.dataType = dataType
      self.shape = shape
      self.isValidity = isValidity
    }
  }

  /// A number that a host may change.
  public struct Parameter: Hashable, Sendable, Codable {
    /// The schedule's name for it.
    public var name: String
    /// The graph input, float32 [1].
    public var input: String
    /// The schedule's value.
    public var value: Double
    /// The least that makes sense.
    public var minimum: Double
    /// The most that makes sense.
    public var maximum: Double

    /// A parameter.
    public init(
      name: String, input: String, value: Double, minimum: Double, maximum: Double
    ) {
      self.name = name
      self.input = input
      self.value = value
      self.minimum = minimum
      self.maximum = maximum
    }
  }

  /// What a host does about the branches of guidance.
  public struct Branches: Hashable, Sendable, Codable {
    /// The branch that is called first.
    ///
    /// The other one is made to compute where it did: its `ditcache/computed` becomes the other's
    /// `ditcache/override`.
    public var leader: String?
    /// The branch that is not called any more from a step on.
    ///
    /// Before that step every float state of the other branch becomes the mean of both; from it on
    /// guidance is left out.
    public var dropped: String?
    /// The first step with one call.
    public var fromStep: Int?
    /// A cached ONNX model, in base64, that stands in for the unconditional call.
    ///
    /// It takes the model's `timestep`, its output of the conditional call, `cond`, and `uncond`; a
    /// host calls the conditional branch first and runs it with `cond` as both. If its `ditcache/computed` is true,
    /// the host calls the unconditional branch after all and runs it again, with the same state and
    /// that output as `uncond`. Its own output is what guidance goes on with.
    public var uncond: String?

    /// A plan.
    public init(
      leader: String? = nil, dropped: String? = nil, fromStep: Int? = nil, uncond: String? = nil
    ) {
      self.uncond = uncond
      self.leader = leader
      self.dropped = dropped
      self.fromStep = fromStep
    }
  }

  /// A manifest made of its parts.
  public init(
    tool: String, schedule: String, steps: Int, originalDigest: String, families: [String] = [],
    rules: [Rule], sites: [Site], state: [State], controls: [String],
    parameters: [Parameter] = [], branches: Branches? = nil, timesteps: [Double]? = nil
  ) {
    self.timesteps = timesteps
    self.parameters = parameters.isEmpty ? nil : parameters
    self.branches = branches
    self.tool = tool
    self.schedule = schedule
    self.steps = steps
    self.originalDigest = originalDigest
    self.families = families
    self.rules = rules
    self.sites = sites
    self.state = state
    self.controls = controls
  }
}

extension Manifest {
  /// Takes in the model that stands in for the unconditional call.
  public mutating func embed(unconditionalCall model: [UInt8]) {
    var own = branches ?? Branches()
    own.uncond = Data(model).base64EncodedString()
    branches = own
  }

  /// The bytes of the model that stands in for the unconditional call; nil without one.
  public func unconditionalCall() throws(ContractError) -> [UInt8]? {
    guard let text = branches?.uncond else { return nil }
    guard let data = Data(base64Encoded: text) else {
      throw ContractError(
        "broken-manifest", "the manifest's model of the unconditional call is not base64")
    }
    return [UInt8](data)
  }

  /// The manifest as JSON with sorted keys, so that equal manifests are equal text.
  public func json() throws(ContractError) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      return String(decoding: try encoder.encode(self), as: UTF8.self)
    } catch {
      throw ContractError(
        "manifest-encoding", "the manifest cannot be written: \(error)", category: .internalFault)
    }
  }

  /// Reads a manifest from a model's metadata.
  public init(json: String) throws(ContractError) {
    struct Layout: Decodable {
      let schema: Int
    }
    func decoded<Value: Decodable>(_ type: Value.Type) throws(ContractError) -> Value {
      do {
        return try JSONDecoder().decode(type, from: Data(json.utf8))
      } catch {
        throw ContractError(
          "broken-manifest", "the model's ditcache manifest cannot be read: \(error)")
      }
    }
    let schema = try decoded(Layout.self).schema
    guard schema == 1 else {
      throw ContractError(
        "manifest-schema", "the model's ditcache manifest has layout \(schema), known is 1",
        hint: "use the version of ditcache that wrote the file", category: .unsupported)
    }
    self = try decoded(Manifest.self)
  }

  /// Declares the manifest's state pairs on a graph that was read from a cached file.
  public func restoreStatePairs(in graph: inout Graph) throws(ContractError) {
    let outputs = Set(graph.outputs)
    for pair in state {
      guard let input = graph.value(named: Name(pair.input)), graph.inputs.contains(input),
        let output = graph.value(named: Name(pair.output)), outputs.contains(output)
      else {
        throw ContractError(
          "broken-manifest",
          "the manifest names state '\(pair.input)', which the graph does not have")
      }
      graph.addStatePair(StatePair(input: input, output: output))
    }
  }
}

/// A cached model and its manifest, or a host and a cached model, that do not fit.
public struct ContractError: ReportedError, Hashable {
  /// A kebab-case word that never changes.
  public let code: String
  /// Empty; the message names the state or control.
  public var place: String { "" }
  /// What is wrong.
  public let message: String
  /// What to do about it.
  public let hint: String?
  /// The kind of failure.
  public let category: FailureCategory

  /// An error about the contract.
  public init(
    _ code: String, _ message: String, hint: String? = nil, category: FailureCategory = .badModel
  ) {
    self.code = code
    self.message = message
    self.hint = hint
    self.category = category
  }
}
