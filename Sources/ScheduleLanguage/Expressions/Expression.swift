/// A decision, a slot's update or a reuse as a value: what the rewrite lowers, the tests evaluate,
/// and people read.
///
/// Booleans and numbers are scalars, one for a rule; tensors have the shape of the site's stream or
/// of a tap. Primitives and rules only build expressions.
public indirect enum Expression: Hashable, Sendable {
  /// `true` or `false`.
  case boolean(Bool)
  /// A whole number.
  case integer(Int)
  /// A real number.
  case number(Double)
  /// A scalar that the host or the run provides.
  case control(Control)
  /// A tensor at the border of the site; with several streams, that of each stream in turn.
  case site(SiteValue)
  /// A tensor somewhere else in the model.
  case tap(Tap)
  /// What a slot of another rule holds after this call, at that rule's site in the same block.
  case held(rule: String, slot: String)
  /// The content of a named slot as the call began.
  case slot(String)
  /// The content of a scalar slot after the assignments before the decision.
  case updated(String)
  /// A number that the host may change without rewriting the model.
  case parameter(String)
  /// The opposite of a boolean.
  case not(Expression)
  /// Two operands.
  case binary(BinaryOperator, Expression, Expression)
  /// Whether an integer is one of a list.
  case member(Expression, of: [Int])
  /// The second operand where the first holds, else the third; only one of them is evaluated.
  case conditional(Expression, Expression, Expression)
  /// A function of operands.
  case call(Function, [Expression])
  /// An element of a list, read at the nearest whole index that the list has.
  case table([Double], at: Expression)
  /// What the site itself makes of other hidden states than those that enter it, or of some of their
  /// tokens.
  case body(Expression)

  /// A scalar known before the site runs.
  public enum Control: String, Hashable, Sendable, CaseIterable {
    /// The scheduler step, from 0.
    case step
    /// The number of steps of the run.
    case steps
    /// 0 for the conditional branch, 1 for the unconditional one.
    case branch
    /// The timestep as the model gets it.
    case timestep
    /// The noise level of this step.
    case sigma
    /// The noise level of the next step.
    case nextSigma = "next_sigma"
    /// The reused steps so far.
    case cachedSteps = "cached_steps"
    /// The reused steps since the last computed one.
    case continuousCachedSteps = "continuous_cached_steps"
    /// Where the site's first block stands among all: 0 the first, 1 the last.
    case depth
    /// Whether the slots hold anything yet.
    case valid
  }

  /// A tensor at the border of a site.
  public enum SiteValue: String, Hashable, Sendable {
    /// The hidden states that enter the site.
    case input
    /// What the site makes of them.
    case output
    /// How much attention each token receives from all tokens: the sum over the queries of its column
    /// of the attention map, the mean over heads.
    case attentionReceived = "attention_received"
    /// The entropy of each token's attention, in nats: of its row of the attention map, which is the
    /// mean over heads.
    case attentionEntropy = "attention_entropy"
    /// The L2 norm of each token's value vector in the site's attention, the mean over heads.
    case valueNorm = "value_norm"

    /// Those that only a computed attention has.
    public static let ofAttention: [SiteValue] = [
      .attentionReceived, .attentionEntropy, .valueNorm,
    ]
  }

  /// A function of scalars or tensors.
  public enum Function: String, Hashable, Sendable, CaseIterable {
    /// Of one operand, element by element.
    case abs, round, floor, ceil, sqrt, exp, log
    /// Of two operands, element by element.
    case min, max
    /// The mean, or the sum, of all elements of a tensor: a number.
    case mean, sum
    /// The largest element of a tensor: a number.
    case largest
    /// Every n-th token of a tensor: (tensor, n).
    case downsample
    /// A tensor without its first, or last, n tokens: (tensor, n).
    case dropFirst = "drop_first"
    case dropLast = "drop_last"
    /// The part of a tensor of low frequencies along its last two axes: (tensor, n), those within
    /// a circle of radius ⌊min(height, width) / n⌋ about zero.
    case lowFrequencies = "low_frequencies"
    /// The L2 norm of each token of a tensor.
    case norm
    /// A tensor over the L2 norm that each channel has along the tokens.
    case unit
    /// The score of the best token of each cell of the latents' grid at that token, 0 at all others:
    /// (scores, tokens along the side of a cell).
    case gridPeaks = "grid_peaks"
    /// A number from 0 to 1 for each token of a tensor, another one at each step: (tensor, seed).
    case noise
    /// The tokens of the largest scores: (scores, part of all tokens).
    case topK = "top_k"
    /// Some tokens of a tensor: (tensor, tokens).
    case gather
    /// A tensor with other values for some of its tokens: (tensor, tokens, values).
    case scatter
    /// The number of the cluster of each token: (tensor, clusters, iterations).
    case clusters
    /// The token of the largest score of each cluster: (cluster numbers, clusters, scores).
    case representatives

    /// How many operands it takes.
    public var arity: Int {
      switch self {
      case .abs, .round, .floor, .ceil, .sqrt, .exp, .log, .mean, .sum, .largest, .norm, .unit: 1
      case .min, .max, .downsample, .dropFirst, .dropLast, .lowFrequencies: 2
      case .noise, .topK, .gather, .gridPeaks: 2
      case .scatter, .clusters, .representatives: 3
      }
    }

    /// What the operands of a function of tokens are; nil for any other function.
    public var tokenOperands: [TokenOperand]? {
      switch self {
      case .norm, .unit: [.tensor]
      case .gridPeaks: [.tensor, .count]
      case .noise, .topK: [.tensor, .number]
      case .gather: [.tensor, .tokens]
      case .scatter: [.tensor, .tokens, .value]
      case .clusters: [.tensor, .count, .count]
      case .representatives: [.tensor, .count, .tensor]
      default: nil
      }
    }

    /// Whether it gives a choice of tokens.
    public var isChoice: Bool { self == .topK || self == .representatives }

    /// Whether it makes a number of a tensor.
    public var isReduction: Bool { [.mean, .sum, .largest].contains(self) }

    /// Whether it takes a part of a tensor, said by a whole number.
    public var isSelection: Bool {
      [.downsample, .dropFirst, .dropLast, .lowFrequencies].contains(self)
    }
  }

  /// What an operand of a function of tokens may be.
  public enum TokenOperand: Hashable, Sendable {
    /// A tensor of tokens.
    case tensor
    /// A choice of tokens, or a tensor with the number of one for each token.
    case tokens
    /// A number.
    case number
    /// A tensor or a number.
    case value
    /// A whole number that is written out.
    case count
  }

  /// An operator between two operands.
  public enum BinaryOperator: String, Hashable, Sendable, CaseIterable {
    case or, and
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    /// The remainder of the division rounded down: never negative for a positive divisor.
    case modulo = "mod"

    /// Whether the result is a boolean.
    public var isComparison: Bool {
      switch self {
      case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: true
      default: false
      }
    }
  }
}

// MARK: - What an expression reads

extension Expression {
  /// The operands, in order; none for a leaf.
  public var operands: [Expression] {
    switch self {
    case .boolean, .integer, .number, .control, .site, .tap, .held, .slot, .updated, .parameter: []
    case .not(let operand), .member(let operand, _), .table(_, let operand), .body(let operand):
      [operand]
    case .binary(_, let left, let right): [left, right]
    case .conditional(let condition, let then, let other): [condition, then, other]
    case .call(_, let operands): operands
    }
  }

  /// Every part of the expression, itself included.
  public var parts: [Expression] {
    var result: [Expression] = []
    var pending = [self]
    while let part = pending.popLast() {
      result.append(part)
      pending += part.operands
    }
    return result
  }

  /// The controls that the expression reads.
  public var controls: Set<Control> {
    Set(parts.compactMap { if case .control(let control) = $0 { control } else { nil } })
  }

  /// The slots that the expression reads, as they were or as they are after the decision.
  public var slots: Set<String> {
    Set(
      parts.compactMap {
        switch $0 {
        case .slot(let name), .updated(let name): name
        default: nil
        }
      })
  }

  /// The taps that the expression reads.
  public var taps: Set<Tap> {
    Set(parts.compactMap { if case .tap(let tap) = $0 { tap } else { nil } })
  }

  /// The host's parameters that the expression reads.
  public var parameters: Set<String> {
    Set(parts.compactMap { if case .parameter(let name) = $0 { name } else { nil } })
  }

  /// Whether the expression reads a border of its own site or a slot of one beside it, or runs the
  /// site.
  public var readsSite: Bool {
    parts.contains { part in
      switch part {
      case .site, .body, .held: true
      default: false
      }
    }
  }

  /// Whether the expression runs a part of the model a second time.
  public var runsBodies: Bool {
    parts.contains { part in
      switch part {
      case .body, .tap(.place(.recomputed, _, _)): true
      default: false
      }
    }
  }

  /// Whether the expression reads what the site makes.
  public var readsSiteOutput: Bool { parts.contains(.site(.output)) }

  /// What the expression reads of the site's attention.
  public var attentionValues: [SiteValue] {
    let parts = Set(parts)
    return SiteValue.ofAttention.filter { parts.contains(.site($0)) }
  }

  /// Whether the value depends on nothing but the step, the number of steps and what was reused
  /// before, so that a table of steps says it all.
  public var isStatic: Bool {
    slots.isEmpty && taps.isEmpty && parameters.isEmpty && !readsSite
      && controls.isSubset(of: [.step, .steps, .cachedSteps, .continuousCachedSteps])
  }
}

extension Expression: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral {
  /// A whole number.
  public init(integerLiteral value: Int) { self = .integer(value) }
  /// A real number.
  public init(floatLiteral value: Double) { self = .number(value) }
}
