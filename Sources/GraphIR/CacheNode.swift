/// What a cache node adds to a node: the subgraph it may skip and what stands in for it.
///
/// The node's only operand is the decision, a bool scalar: true computes. Its results, and the
/// outputs of both bodies, are the stream outputs followed by the new contents of each slot.
public struct CacheNode: Sendable {
  /// The rule of the schedule it follows.
  public var rule: String

  /// The site it stands for, such as `blocks.0-3`.
  public var site: String

  /// How many leading results are hidden states; the rest are slots.
  public var streamCount: Int

  /// The original computation, plus what fills the slots.
  public var body: Subgraph

  /// What runs instead on a reused step.
  public var reuse: Subgraph

  /// The slots, in the order of the remaining results.
  public var slots: [Slot]

  /// A cache node's facts.
  public init(
    rule: String, site: String, streamCount: Int, body: Subgraph, reuse: Subgraph, slots: [Slot]
  ) {
    self.rule = rule
    self.site = site
    self.streamCount = streamCount
    self.body = body
    self.reuse = reuse
    self.slots = slots
  }
}

/// One typed piece of state.
public struct Slot: Hashable, Sendable {
  /// The full name of its input, `ditcache/<rule>/<site>/<slot>`.
  public var name: String

  /// The type it is stored in.
  public var type: TensorType

  /// A slot.
  public init(name: String, type: TensorType) {
    self.name = name
    self.type = type
  }
}

/// An input and an output that hold the same state before and after a call.
///
/// An interpreter may keep both in one buffer; a host feeds the output back as the input.
public struct StatePair: Hashable, Sendable {
  /// The graph input that brings the state of the previous call.
  public var input: ValueID

  /// The graph output that carries it on.
  public var output: ValueID

  /// A pair.
  public init(input: ValueID, output: ValueID) {
    self.input = input
    self.output = output
  }
}
