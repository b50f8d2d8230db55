/// What a cache rule applies to.
public enum Site: Hashable, Sendable {
  /// Some blocks, cut into runs.
  case blocks(BlockSet)
  /// All blocks, from the first to the last.
  case stack
  /// The model's first output: everything but what the rule itself reads.
  case output
  /// The unconditional call of guidance: from what the conditional call made of the step to what
  /// the unconditional one makes of it.
  case uncond
  /// Residual branches of some kinds, each by itself, of each of some blocks.
  case modules([Part], of: BlockSet, Cut)

  /// The residual branches of a block that a word means.
  public enum Part: String, Hashable, Sendable, CaseIterable {
    /// Attention among the tokens of the spine, of one stream or of several at once.
    case selfAttention = "self_attention"
    /// Attention to keys from outside the spine.
    case crossAttention = "cross_attention"
    /// Anything without attention.
    case mlp
    /// Attention and mlp side by side in one addition.
    case parallel
  }

  /// Where a residual branch is cut.
  public enum Cut: String, Hashable, Sendable, CaseIterable {
    /// What the module itself makes; the gate is multiplied on reused steps too, with its value then.
    case beforeGate = "before gate"
    /// What is added to the hidden states.
    case afterGate = "after gate"
  }

  /// The site as the language writes it.
  public var text: String {
    switch self {
    case .blocks(let set): set.text
    case .stack: "stack"
    case .output: "output"
    case .uncond: "uncond"
    case .modules(let parts, let set, let cut):
      "\(parts.map(\.rawValue).joined(separator: " + ")) of \(set.text)"
        + (cut == .beforeGate ? " \(cut.rawValue)" : "")
    }
  }

  /// The positions of the blocks in execution order, ascending.
  public func resolve(in layout: BlockLayout) throws(Problem) -> [Int] {
    switch self {
    case .blocks(let set), .modules(_, let set, _): try set.resolve(in: layout)
    case .stack, .output: Array(0..<layout.blockCount)
    case .uncond: []
    }
  }

  /// The kinds of branches that the site means; none for whole blocks.
  public var parts: [Part] {
    if case .modules(let parts, _, _) = self { parts } else { [] }
  }
}
