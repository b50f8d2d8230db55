import CacheContract
import Diffusion
import Foundation
import Quality
import Tensors

/// A sampling run as a page: what was computed, what the rules saw, and the frames.
struct SamplePage {
  /// What the page is about: the model and the schedule.
  let subject: String
  let prompt: String?
  let report: SampleReport
  let result: SampleJob.Result
  let manifest: Manifest?
  /// The names of the model's blocks in execution order.
  let blocks: [String]
  let pictures: SamplePictures

  private static let curveCount = 6

  func page() throws -> HTMLPage {
    var page = HTMLPage(
      title: "Sample",
      subtitle: "\(subject): \(report.steps) steps, \(report.scheduler), "
        + report.branches.joined(separator: " and ") + (prompt.map { "; \($0)" } ?? ""))
    page.figures(figures)
    if let manifest {
      page.heading("What was computed")
      page.figure(
        StepGrid(
          rows: ComputedGrid(result.run, manifest, blocks: blocks).rows, scale: .computed
        ).svg, caption: "From left to right the steps; computed is full, reused is pale.")
      let curves = metrics(manifest)
      if !curves.isEmpty {
        page.heading("What the rules saw")
        page.figure(
          LineChart(curves, steps: report.steps, rule: threshold(manifest)).svg,
          caption: "The metric of each site in the last call of each step"
            + (threshold(manifest) == nil ? "." : "; below the line it is reused."))
      }
    }
    if let baseline = result.baseline {
      page.heading("Distance from the uncached latents")
      let distances = try TensorDifference.alongFirstAxis(
        of: result.run.latents, from: baseline.latents)
      page.figure(
        LineChart([.init("relative L1", distances.map(\.relativeL1))], steps: distances.count).svg,
        caption: "Relative L1 of the latents before each step and after the last.")
    }
    let shown = try pictures.samples()
    if !shown.isEmpty {
      page.heading(result.baseline == nil ? "The result" : "Side by side")
      for (number, sample) in shown.enumerated() {
        try page.pictures(
          sample,
          caption: shown.count == 1 ? prompt ?? "One sample" : "Sample \(number)")
      }
    }
    for warning in report.warnings { page.paragraph("Warning: \(warning)") }
    return page
  }

  private var figures: [(value: String, caption: String)] {
    let quality = report.decodedQuality ?? report.quality
    return [
      report.baselineSeconds.map {
        (String(format: "%.2f×", $0 / report.seconds), "faster than uncached")
      },
      quality.map { ($0.psnrDb.map { String(format: "%.1f dB", $0) } ?? "identical", "PSNR") },
      quality.map { (String(format: "%.4f", $0.relativeL1), "relative L1") },
      report.flopsSaved.map { (String(format: "%.0f %%", 100 * $0), "of all FLOPs saved") },
      (String(format: "%.2f s", report.seconds), "wall time"),
      report.stateBytes > 0
        ? (String(format: "%.2f MB", Double(report.stateBytes) / 1e6), "of state") : nil,
    ].compactMap { $0 }
  }

  /// The metric of each site that has one, step by step.
  private func metrics(_ manifest: Manifest) -> [LineChart.Series] {
    guard let metric = result.run.metric, !report.sites.isEmpty else { return [] }
    let numbers = metric.elements(as: Float.self)
    let (calls, sites) = (metric.shape[1], metric.shape[2])
    return manifest.sites.enumerated().map { index, site in
      LineChart.Series(
        site.name,
        (0..<metric.shape[0]).map { step in
          Double(numbers[(step * calls + calls - 1) * sites + index])
        })
    }.filter { $0.values.contains(where: \.isFinite) }.prefix(Self.curveCount).map { $0 }
  }

  /// The threshold of the rules, if they have the same.
  private func threshold(_ manifest: Manifest) -> Double? {
    let thresholds = Set(manifest.rules.compactMap { $0.metric?.threshold })
    return thresholds.count == 1 ? thresholds.first : nil
  }
}
