import Foundation
import Quality
import Tuning

extension TuneReport {
  /// The report as a page.
  func page(best: Trial, exhibits: [Evaluation.Exhibit]) throws -> HTMLPage {
    var page = HTMLPage(
      title: "Tuning",
      subtitle: "\(model): \(promise), \(steps) steps of \(scheduler), \(trials.count) schedules "
        + "tried in \(runs) runs")
    page.figures(
      [
        heldOut.speedup.map { (Self.text("%.2f×", $0), "by the clock, held-out runs") },
        heldOut.psnrDb.map { (Self.text("%.1f dB", $0.mean), "PSNR, held-out runs") },
        heldOut.psnrDb.map { (Self.text("%.1f dB", $0.minimum), "the worst of them") },
        training.psnrDb.map { (Self.text("%.1f dB", $0.mean), "PSNR, runs of the search") },
        (Self.text("%.1f %%", 100 * best.computed), "of the FLOPs computed"),
      ].compactMap { $0 })
    page.heading("Everything that was tried")
    page.figure(
      ScatterChart(
        series, front: trials.filter(\.isOnFront).map { (1 / $0.computed, $0.psnrDb) },
        xTitle: "speed-up by FLOPs", yTitle: "mean PSNR (dB)"
      ).svg,
      caption: "One dot a schedule, on the runs of the search. The line joins those that nothing "
        + "else tried beats in both.")
    page.table(
      titles: ["On the front", "Speed-up by FLOPs", "Mean PSNR (dB)", "min", "Promise"],
      rows: trials.filter(\.isOnFront).sorted { $0.computed < $1.computed }.map { trial in
        [
          trial.family, Self.text("%.2fx", 1 / trial.computed), Self.text("%.2f", trial.psnrDb),
          Self.text("%.2f", trial.minimumPsnrDb), trial.kept ? "kept" : "broken",
        ]
      })
    if !best.grid.isEmpty {
      page.heading("What is computed")
      page.figure(
        StepGrid(rows: best.grid, scale: .computed).svg,
        caption: "Sites by steps of the first run, computed full, reused pale.")
    }
    page.heading("Held out")
    page.table(
      titles: ["Runs", "Mean PSNR (dB)", "min", "SSIM", "Computed"],
      rows: [("of the search", training), ("held out", heldOut)].map { name, figures in
        [
          name, figures.psnrDb.map { Self.text("%.2f", $0.mean) } ?? "",
          figures.psnrDb.map { Self.text("%.2f", $0.minimum) } ?? "",
          figures.ssim.map { Self.text("%.4f", $0.mean) } ?? "",
          Self.text("%.1f %%", 100 * figures.computed),
        ]
      })
    for exhibit in exhibits {
      try page.pictures(
        try Comparison.strips(
          of: exhibit.result.asVideo, named: exhibit.method, against: exhibit.reference.asVideo),
        caption: exhibit.prompt ?? exhibit.method)
    }
    page.heading("The schedule")
    page.listing(schedule)
    return page
  }

  /// Speed-up and quality of every trial, by family.
  private var series: [ScatterChart.Series] {
    var order: [String] = []
    for trial in trials where !order.contains(trial.family) { order.append(trial.family) }
    return order.map { family in
      ScatterChart.Series(
        family, trials.filter { $0.family == family }.map { (1 / $0.computed, $0.psnrDb) })
    }
  }

  private static func text(_ format: String, _ value: Double) -> String {
    String(format: format, value)
  }
}
