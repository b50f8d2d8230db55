import Foundation
import Profiling
import Quality
import Tensors

extension ProfileReport {
  /// The runs that are shown as pictures.
  private static let exhibitCount = 4

  /// The report as a page; exhibits come in threes: a result, its features, its mask.
  func page(
    schedule: ProposedSchedule, exhibits: [(label: String, video: Tensor)]
  ) throws -> HTMLPage {
    let steps = scores.count
    let background = blocks.indices.filter { blocks[$0].background }
    var page = HTMLPage(
      title: "Profile",
      subtitle:
        "\(runs.count) \(runs.count == 1 ? "run" : "runs") of \(steps) steps, \(scheduler); "
        + tokens.map(String.init).joined(separator: " × ") + " tokens")
    page.figures([
      ("\(background.count) of \(blocks.count)", "blocks look at the background"),
      (String(format: "%.0f %%", 100 * runAgreement), "of the list shared by single runs"),
      ("\(warmup)", "steps of warm-up"),
      (
        String(format: "%.1f → %.1f", longestInterval, shortestInterval),
        "steps between refreshes, first to last"
      ),
    ])
    page.heading("Which blocks look at the foreground")
    page.figure(
      StepGrid(
        rows: blocks.enumerated().map { index, block in
          (
            "\(block.name)  \(String(format: "%.2f", block.score))",
            scores.map { $0[index] }
          )
        }, scale: .range(range(of: scores)), highlighted: Set(background)
      ).svg,
      caption: "R_attn (Eq. 6 of arXiv 2504.03140) of each block and step: the part of the "
        + "foreground's tokens that receive more than \(attention) times the mean attention. "
        + "Marked blocks score below \(String(format: "%.3f", threshold)) after the warm-up.")
    page.figure(
      LineChart([.init("attention to the foreground", focus)], steps: steps, rule: 1).svg,
      caption: "Attention that the foreground receives, divided by its share of the tokens, "
        + "averaged over blocks: above the line the model looks at the foreground.")
    page.heading("When predictions change")
    page.figure(
      LineChart(
        [.init("relative L1 to the step before", changes, start: 1)], steps: steps, marks: refresh
      ).svg,
      caption:
        "Vertical lines are the refreshes that are proposed after \(warmup) steps of warm-up.")
    if !exhibits.isEmpty {
      page.heading("What is foreground")
      for start in stride(from: 0, to: min(exhibits.count, 3 * Self.exhibitCount), by: 3) {
        let shown = exhibits[start..<min(start + 3, exhibits.count)]
        try page.pictures(
          try shown.map { ($0.label, try Self.strip($0.video)) }, caption: exhibits[start].label)
      }
    }
    page.heading("The schedule that follows")
    page.listing(schedule.text)
    return page
  }

  private func range(of scores: [[Double]]) -> ClosedRange<Double> {
    let all = scores.joined()
    let (low, high) = (all.min() ?? 0, all.max() ?? 1)
    return low...max(high, low)
  }

  private static func strip(_ video: Tensor) throws -> RGBImage {
    let rows = video.shape[video.rank - 2]
    return try ContactSheet.render(rows: [("", video)], scale: max(1, min(4, 200 / max(rows, 1))))
  }
}
