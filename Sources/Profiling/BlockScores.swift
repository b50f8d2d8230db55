public import ModelStructure
import Tensors

/// How much each block looks at what a video shows, step by step.
public struct BlockScores: Sendable {
  /// `R_attn` of each step and block: equation 6 of ProfilingDiT, arXiv 2504.03140.
  ///
  /// That is for each frame the part of the foreground's tokens that receive more attention than the
  /// threshold, averaged over the frames that show a foreground.
  public let scores: [[Double]]

  /// For each step the attention that the foreground receives, divided by its part of the tokens and
  /// averaged over blocks: above 1 the model looks at the foreground more than at the rest.
  public let focus: [Double]

  /// Scores of one run.
  ///
  /// - Parameters:
  ///   - received: attention of each step, block and token of the latents
  ///   - keyCounts: the tokens of each block's attention, of which the latents' may be a part
  ///   - foreground: which tokens are foreground
  ///   - grid: how tokens lie
  ///   - threshold: attention that counts as high, in units of 1 / tokens, the mean
  /// - Throws: `ProfilingError` when no token is foreground, or all are
  public init(
    received: [[[Float]]], keyCounts: [Int], foreground: [Bool], grid: TokenGrid,
    threshold: Double
  ) throws(ProfilingError) {
    let total = foreground.count { $0 }
    guard total > 0, total < foreground.count else {
      throw ProfilingError(
        "no-foreground", at: "mask",
        "the mask makes \(total) of \(foreground.count) tokens foreground",
        hint: "supply --masks or --segmenter, or choose --mask-step or --mask-source",
        category: .badModel)
    }
    let area = grid.rows * grid.columns
    var scores: [[Double]] = []
    var focus: [Double] = []
    for blocks in received {
      var row: [Double] = []
      var attention = 0.0
      for (block, tokens) in blocks.enumerated() {
        let high = threshold / Double(keyCounts[block])
        var sum = 0.0
        var shown = 0
        for frame in 0..<grid.frames {
          let range = frame * area..<(frame + 1) * area
          let own = range.count { foreground[$0] }
          guard own > 0 else { continue }
          shown += 1
          sum += Double(range.count { foreground[$0] && Double(tokens[$0]) > high }) / Double(own)
        }
        row.append(sum / Double(shown))
        var (inside, all) = (0.0, 0.0)
        for (token, value) in tokens.enumerated() {
          all += Double(value)
          if foreground[token] { inside += Double(value) }
        }
        attention += inside / all
      }
      scores.append(row)
      let part = Double(total) / Double(foreground.count)
      focus.append(attention / Double(max(blocks.count, 1)) / part)
    }
    self.scores = scores
    self.focus = focus
  }
}
