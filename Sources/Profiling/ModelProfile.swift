import Tensors

/// What ProfilingDiT (arXiv 2504.03140) finds out about a model: which blocks look at the
/// foreground, and when predictions change.
public struct ModelProfile: Sendable {
  /// Every block in execution order.
  public let blocks: [BlockProfile]
  /// The score below which a block is background, `τ`.
  public let threshold: Double
  /// The score of each run, step and block.
  public let scores: [[[Double]]]
  /// How much more attention the foreground receives than its share of the tokens, step by step,
  /// averaged over runs.
  public let focus: [Double]
  /// mean |v_s − v_{s−1}| / mean |v_{s−1}| from step 1 on, averaged over runs.
  public let changes: [Double]
  /// The same of each run.
  public let runChanges: [[Double]]
  /// When to refresh.
  public let plan: StepPlan
  /// How much single runs agree with the list of background blocks: shared blocks over all blocks of
  /// both lists, averaged over runs.
  public let runAgreement: Double
  /// The same of single steps after the warm-up.
  public let stepAgreement: Double

  /// One block.
  public struct BlockProfile: Sendable {
    /// Its name.
    public let name: String
    /// Its position among all blocks.
    public let position: Int
    /// `R_attn` over runs and the steps after the warm-up.
    public let score: Double
    /// The standard deviation of the score over these steps.
    public let stepDeviation: Double
    /// The standard deviation of the score over runs.
    public let runDeviation: Double
    /// True when the block's result may be kept.
    public let isBackground: Bool
  }

  /// How lists and steps are chosen.
  public struct Options: Hashable, Sendable {
    /// The score below which a block is background; nil takes the one that makes
    /// `backgroundShare` of the blocks background.
    public var threshold: Double?
    /// The part of the blocks that is background without a threshold; published are 24 of 40.
    public var backgroundShare = 0.6
    /// Steps that compute everything; nil reads them off the curve.
    public var warmup: Int?
    /// The mean interval between refreshes that the plan aims at.
    public var interval = 6.0

    /// The defaults.
    public init() {}
  }

  /// What one run gave.
  public struct Run: Sendable {
    /// Scores of each step and block, and the focus of each step.
    public let scores: BlockScores
    /// How far the prediction of each step from 1 on is from the one before.
    public let changes: [Double]

    /// A run.
    public init(scores: BlockScores, changes: [Double]) {
      self.scores = scores
      self.changes = changes
    }
  }

  /// A profile of runs of the same steps.
  public init(
    _ runs: [Run], blocks probed: [(name: String, position: Int)], options: Options
  ) throws(ProfilingError) {
    guard let steps = runs.first?.scores.scores.count, steps > 1,
      runs.allSatisfy({ $0.scores.scores.count == steps && $0.changes.count == steps - 1 })
    else {
      throw ProfilingError(
        "too-few-steps", at: "--steps", "a profile needs runs of two steps or more",
        category: .usage)
    }
    let count = Double(runs.count)
    func mean(_ numbers: [Double]) -> Double { numbers.reduce(0, +) / Double(numbers.count) }
    func deviation(_ numbers: [Double]) -> Double {
      let middle = mean(numbers)
      return mean(numbers.map { ($0 - middle) * ($0 - middle) }).squareRoot()
    }
    runChanges = runs.map(\.changes)
    let changes = (0..<steps - 1).map { step in
      runs.reduce(0) { $0 + $1.changes[step] / count }
    }
    self.changes = changes
    focus = (0..<steps).map { step in runs.reduce(0) { $0 + $1.scores.focus[step] / count } }
    let all = runs.map(\.scores.scores)
    scores = all
    plan = StepPlan(changes: changes, warmup: options.warmup, interval: options.interval)
    let counted = min(plan.warmup, steps - 1)..<steps
    // Each run's score of a block, over the steps that count; each step's, over runs.
    let byRun = all.map { run in
      probed.indices.map { block in mean(counted.map { run[$0][block] }) }
    }
    let byStep = counted.map { step in
      probed.indices.map { block in mean(all.map { $0[step][block] }) }
    }
    let blockScores = probed.indices.map { block in mean(byRun.map { $0[block] }) }
    let limit =
      options.threshold ?? Self.percentile(options.backgroundShare, of: blockScores)
    threshold = limit
    blocks = probed.enumerated().map { index, block in
      BlockProfile(
        name: block.name, position: block.position, score: blockScores[index],
        stepDeviation: deviation(byStep.map { $0[index] }),
        runDeviation: deviation(byRun.map { $0[index] }), isBackground: blockScores[index] < limit)
    }
    let list = Set(blockScores.indices.filter { blockScores[$0] < limit })
    func agreement(_ scores: [Double]) -> Double {
      let own = Set(scores.indices.filter { scores[$0] < limit })
      let either = own.union(list)
      return either.isEmpty ? 1 : Double(own.intersection(list).count) / Double(either.count)
    }
    runAgreement = mean(byRun.map(agreement))
    stepAgreement = mean(byStep.map(agreement))
  }

  /// By linear interpolation, as `numpy.percentile` has it.
  private static func percentile(_ part: Double, of numbers: [Double]) -> Double {
    let sorted = numbers.sorted()
    guard let last = sorted.last else { return 0 }
    let place = min(max(part, 0), 1) * Double(sorted.count - 1)
    let below = min(Int(place), sorted.count - 1)
    let above = below + 1 < sorted.count ? sorted[below + 1] : last
    return sorted[below] + (place - Double(below)) * (above - sorted[below])
  }
}
