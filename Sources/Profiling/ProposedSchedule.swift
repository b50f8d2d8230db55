import Foundation

/// A schedule that follows from a profile, with the evidence in its comments.
public struct ProposedSchedule: Sendable {
  /// The file.
  public let text: String

  /// The background blocks, as the language writes them; nil when there are none.
  public let background: String?

  /// Writes a schedule for an adapter's models, or `any`.
  ///
  /// - Parameters:
  ///   - profile: what was found
  ///   - name: the schedule's name
  ///   - adapter: whose models it is for
  ///   - evidence: sentences about the model, prompts and seeds
  public init(_ profile: ModelProfile, name: String, adapter: String, evidence: [String]) {
    let positions = profile.blocks.filter(\.isBackground).map(\.position)
    background = positions.isEmpty ? nil : "blocks[\(Self.ranges(positions))]"
    let plan = profile.plan
    let steps = profile.changes.count + 1
    func number(_ value: Double) -> String { String(format: "%.3f", value) }
    var lines = ["# Blocks that look at the background, found by `ditcache profile`.", "#"]
    lines += evidence.map { "# \($0)" }
    lines += [
      "#", "# R_attn of each block, mean over runs and steps from \(plan.warmup) on, with its",
      "# deviation over steps and over runs; background below \(number(profile.threshold)):",
    ]
    for block in profile.blocks {
      let kind = block.isBackground ? "background" : "foreground"
      lines.append(
        "#   \(block.position) \(block.name): \(number(block.score)) "
          + "± \(number(block.stepDeviation)) ± \(number(block.runDeviation)) \(kind)")
    }
    let changes = profile.changes.map { String(format: "%.4f", $0) }
    lines += [
      "#",
      "# Single runs share \(Self.percent(profile.runAgreement)) of the list, single steps "
        + "\(Self.percent(profile.stepAgreement)).",
      "# Relative L1 of consecutive predictions, from step 1 on:",
    ]
    for start in stride(from: 0, to: changes.count, by: 10) {
      lines.append(
        "#   " + changes[start..<min(start + 10, changes.count)].joined(separator: " "))
    }
    lines += [
      "# Warm-up \(plan.warmup); intervals from T_max \(number(plan.longest)) to "
        + "T_min \(number(plan.shortest)) (Eq. 15 of arXiv 2504.03140).",
      "schedule \(name) for \(adapter) {", "  steps \(steps)",
    ]
    if let background {
      lines += [
        "  let background = \(background)", "", "  cache background {", "    keep delta",
        "    warmup_steps \(plan.warmup)",
        "    refresh at [\(plan.refresh.map(String.init).joined(separator: ", "))]", "  }",
      ]
    }
    text = (lines + ["}", ""]).joined(separator: "\n")
  }

  private static func percent(_ part: Double) -> String { String(format: "%.0f %%", 100 * part) }

  /// Positions as `0, 2-4`.
  static func ranges(_ positions: [Int]) -> String {
    var runs: [(first: Int, last: Int)] = []
    for position in positions.sorted() {
      if let last = runs.indices.last, runs[last].last + 1 == position {
        runs[last].last = position
      } else {
        runs.append((position, position))
      }
    }
    return runs.map { $0.first == $0.last ? "\($0.first)" : "\($0.first)-\($0.last)" }
      .joined(separator: ", ")
  }
}
