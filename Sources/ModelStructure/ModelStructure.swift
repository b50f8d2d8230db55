public import GraphIR

/// The blocks of a Diffusion Transformer, as found in its graph.
public struct ModelStructure: Sendable {
  /// Blocks on the spine of the latents, in execution order.
  public var blocks: [Block]

  /// Segments of the spine before text enters it, and residual chains of text alone.
  public var refiners: [Block]

  /// Chains that only add into the spine.
  public var control: [Block]

  /// Why something that looked like a block is none, and which ranges are no sites.
  public var notes: [StructureNote]

  /// The input that the hidden states come from; nil in a graph where none reaches the output.
  public var latents: ValueID?

  /// A structure made of its three groups.
  public init(
    blocks: [Block] = [], refiners: [Block] = [], control: [Block] = [],
    notes: [StructureNote] = [], latents: ValueID? = nil
  ) {
    self.latents = latents
    self.blocks = blocks
    self.refiners = refiners
    self.control = control
    self.notes = notes
  }

  /// The families among the blocks with their sizes, in execution order.
  public var families: [(name: String, count: Int)] {
    var result: [(name: String, count: Int)] = []
    for block in blocks {
      if let index = result.firstIndex(where: { $0.name == block.family }) {
        result[index].count += 1
      } else {
        result.append((block.family, 1))
      }
    }
    return result
  }
}

/// A residual segment of the spine: what a cache rule can skip.
public struct Block: Sendable {
  /// The name users see, `<family>.<index>`.
  public var name: String
  /// The list of modules it belongs to, such as `single_transformer_blocks`.
  public var family: String
  /// The position in the family.
  public var index: Int
  /// The position among all blocks of its group, in execution order.
  public var position: Int
  /// The hidden states that pass through, the latents' first.
  public var streams: [Stream]
  /// The nodes that only this block needs.
  public var nodes: [NodeID]
  /// The residual branches inside, in execution order.
  public var modules: [Module]

  /// A block made of its parts.
  public init(
    name: String, family: String, index: Int, position: Int, streams: [Stream], nodes: [NodeID],
    modules: [Module]
  ) {
    self.name = name
    self.family = family
    self.index = index
    self.position = position
    self.streams = streams
    self.nodes = nodes
    self.modules = modules
  }
}

/// Hidden states on their way through a block or a run.
public struct Stream: Hashable, Sendable {
  /// The hidden states before.
  public var input: ValueID
  /// The hidden states after; the input itself when nothing reads this stream any more.
  public var output: ValueID

  /// A stream from one value to another.
  public init(input: ValueID, output: ValueID) {
    self.input = input
    self.output = output
  }

  /// False for a stream that ends in this block, as text does in the last block of many models.
  public var hasEnd: Bool { input != output }
}

/// One residual branch of a block.
public struct Module: Sendable {
  /// What a module computes.
  public enum Kind: String, Sendable {
    /// Attention among the tokens of the spine.
    case selfAttention = "self_attention"
    /// Attention to keys from outside the spine.
    case crossAttention = "cross_attention"
    /// Attention over several streams at once.
    case jointAttention = "joint_attention"
    /// Anything without attention.
    case mlp
    /// Attention and mlp side by side in one addition.
    case parallel
  }

  /// What it computes.
  public var kind: Kind
  /// The exporter's name for it, or its kind.
  public var name: String
  /// The stream it adds to, as an index into `Block.streams`.
  public var stream: Int
  /// The hidden states before the addition.
  public var input: ValueID
  /// The hidden states after the addition.
  public var output: ValueID
  /// What the branch computed, before the gate: what caching a module may keep.
  public var branch: ValueID
  /// What is added to the hidden states: the branch after its gate.
  public var addend: ValueID
  /// What multiplies the branch before the addition; nil when it is added as it is.
  ///
  /// A modulation by the timestep, or a weight (LayerScale).
  public var gate: ValueID?
  /// What the branch's first products read of this stream, after norm and modulation.
  ///
  /// `input` itself where there is neither; nil where they read no single value.
  public var modulatedInput: ValueID?

  /// A module made of its parts.
  public init(
    kind: Kind, name: String, stream: Int, input: ValueID, output: ValueID, branch: ValueID,
    addend: ValueID? = nil, gate: ValueID? = nil, modulatedInput: ValueID? = nil
  ) {
    self.kind = kind
    self.name = name
    self.stream = stream
    self.input = input
    self.output = output
    self.branch = branch
    self.addend = addend ?? branch
    self.gate = gate
    self.modulatedInput = modulatedInput
  }
}

/// A remark about a place that is not a site.
public struct StructureNote: Hashable, Sendable {
  /// The node, value or range.
  public var place: String
  /// One sentence.
  public var message: String

  /// A remark.
  public init(place: String, message: String) {
    self.place = place
    self.message = message
  }
}

/// A contiguous range of blocks, cut out of the graph: the extent of one cache node.
public struct Run: Sendable {
  /// The family of all its blocks.
  public var family: String
  /// The first block's index in the family.
  public var first: Int
  /// The last block's index in the family.
  public var last: Int
  /// The hidden states that enter the first block and leave the last one.
  ///
  /// A stream that nothing reads after the last block is left out.
  public var streams: [Stream]
  /// The nodes that only this run needs, in execution order.
  public var nodes: [NodeID]

  /// A run made of its parts.
  public init(family: String, first: Int, last: Int, streams: [Stream], nodes: [NodeID]) {
    self.family = family
    self.first = first
    self.last = last
    self.streams = streams
    self.nodes = nodes
  }

  /// The site id, `<family>.<first>-<last>`.
  public var site: String { "\(family).\(first)-\(last)" }
}
