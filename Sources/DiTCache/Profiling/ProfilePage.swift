import Foundation
import ModelStructure
import Profiling
import Quality
import Tensors

/// Videos of one run that belong together.
struct ProfileExhibit {
  let caption: String
  let rows: [(label: String, video: Tensor)]

  /// The rows as pictures of about the same height.
  func pictures() throws -> [(label: String, image: RGBImage)] {
    try rows.map { label, video in
      let height = video.shape[video.rank - 2]
      let scale = max(1, min(16, 128 / max(height, 1)))
      return (label, try ContactSheet.render(rows: [("", video)], scale: scale, margin: 0))
    }
  }
}

extension ProfiledRun {
  /// How many blocks of each end are shown.
  private static let shownBlocks = 2

  /// Where the blocks of the highest and lowest scores look, averaged over steps after the warm-up.
  func exhibit(
    _ profile: ModelProfile, grid: TokenGrid, caption: String
  ) throws -> ProfileExhibit {
    let order = profile.blocks.indices.sorted {
      profile.blocks[$0].score > profile.blocks[$1].score
    }
    let ends =
      order.prefix(Self.shownBlocks) + order.dropFirst(Self.shownBlocks).suffix(Self.shownBlocks)
    let steps = received[min(profile.plan.warmup, received.count - 1)...]
    let shape = try Shape([grid.frames, grid.rows, grid.columns])
    var rows: [(label: String, video: Tensor)] = []
    for block in ends {
      let means = (0..<grid.count).map { token in
        steps.reduce(0) { $0 + $1[block][token] } / Float(steps.count)
      }
      let score = String(format: "%.2f", profile.blocks[block].score)
      rows.append(
        (
          "\(profile.blocks[block].name), R_attn \(score)",
          try HeatScale.video(Tensor(means, shape: shape))
        ))
    }
    return ProfileExhibit(caption: caption, rows: rows)
  }
}

extension ProfileReport {
  /// The runs that are shown as pictures.
  private static let exhibitCount = 4

  /// The report as a page.
  func page(
    schedule: ProposedSchedule, exhibits: [ProfileExhibit], attention maps: ProfileExhibit
  ) throws -> HTMLPage {
    let steps = scores.count
    let background = blocks.indices.filter { blocks[$0].background }
    var page = HTMLPage(
      title: "Profile",
      subtitle:
        "\(URL(filePath: model).lastPathComponent): "
        + "\(runs.count) \(runs.count == 1 ? "run" : "runs") of \(steps) steps, \(scheduler); "
        + tokens.map(String.init).joined(separator: " × ") + " tokens")
    page.figures([
      ("\(background.count) of \(blocks.count)", "blocks look at the background"),
      runs.count > 1
        ? (String(format: "%.0f %%", 100 * runAgreement), "of the list shared by single runs")
        : (String(format: "%.0f %%", 100 * stepAgreement), "of the list shared by single steps"),
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
    page.heading("Where blocks look")
    try page.pictures(try maps.pictures(), caption: maps.caption)
    page.paragraph(
      "Attention that each token receives, averaged over steps after the warm-up; the brightest place "
        + "of each block is its highest. First the blocks of the highest scores, then of the lowest."
    )
    page.heading("What is foreground")
    for exhibit in exhibits.prefix(Self.exhibitCount) {
      try page.pictures(try exhibit.pictures(), caption: exhibit.caption)
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
}
