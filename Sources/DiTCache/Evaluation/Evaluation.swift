import CacheContract
import Diffusion
import Foundation
import Quality
import Tensors

/// An evaluation with what its report shows.
public struct Evaluation: Sendable {
  /// The figures.
  public internal(set) var report: EvaluationReport

  /// Results side by side; the first runs only.
  var exhibits: [Exhibit] = []

  /// What the first run of each method computed.
  var grids: [Grid] = []

  /// How many runs are shown.
  static let exhibitCount = 3

  /// One result beside the uncached one.
  struct Exhibit: Sendable {
    let method: String
    let prompt: String?
    let result: Tensor
    let reference: Tensor
    var seed: UInt64?

    var caption: String {
      let words = [prompt, seed.map { "seed \($0)" }].compactMap { $0 }
      return words.isEmpty ? "The first sample" : words.joined(separator: ", ")
    }
  }

  /// What the first run of a method computed.
  struct Grid: Sendable {
    let method: String
    let rows: [(label: String, values: [Double])]

    init(_ method: String, _ run: Recording, _ manifest: Manifest, blocks: [String] = []) {
      self.method = method
      rows = ComputedGrid(run, manifest, blocks: blocks).rows
    }
  }

  /// Writes `evaluation.md`, `.csv`, `.html` and `.json` into a folder, which is made.
  public mutating func write(to folder: String) throws {
    try FolderPath.make(folder)
    for (ending, text) in [("md", EvaluationTable(report).markdown), ("csv", report.csv)] {
      let path = "\(folder)/evaluation.\(ending)"
      try ScheduleTexts.replace(path, with: text)
      report.files.append(path)
    }
    try page().write(to: "\(folder)/evaluation.html")
    report.files += ["\(folder)/evaluation.html", "\(folder)/evaluation.json"]
    try ScheduleTexts.replace("\(folder)/evaluation.json", with: try JSONText.of(report) + "\n")
  }

  /// The report as a page.
  func page() throws -> HTMLPage {
    var page = HTMLPage(title: "Evaluation", subtitle: subtitle)
    if let best = report.methods.dropFirst().max(by: { ($0.speedup ?? 0) < ($1.speedup ?? 0) }) {
      page.figures(
        [
          best.speedup.map { (String(format: "%.2f×", $0), "fastest: \(best.name)") },
          best.psnrDb.map { (String(format: "%.1f dB", $0.mean), "its PSNR") },
          best.psnrDb.map { (String(format: "%.1f dB", $0.minimum), "its worst sample") },
          best.ssim.map { (String(format: "%.3f", $0.mean), "its SSIM") },
          best.lpips.map { (String(format: "%.3f", $0.mean), "its LPIPS") },
        ].compactMap { $0 })
    }
    let table = EvaluationTable(report)
    // An arrow stays beside its word.
    page.table(
      titles: table.titles.map {
        $0.replacing(" ↑", with: "\u{A0}↑").replacing(" ↓", with: "\u{A0}↓")
      },
      rows: table.rows)
    let drifting = report.methods.filter { !$0.perStep.isEmpty }
    if let steps = drifting.map(\.perStep.count).max() {
      page.heading("Distance from the uncached latents")
      page.figure(
        LineChart(
          drifting.map { .init($0.name, $0.perStep.map(\.relativeL1)) }, steps: steps
        ).svg,
        caption: "Relative L1 of the latents before each step and after the last, averaged over "
          + "samples.")
    }
    if !grids.isEmpty {
      page.heading("What was computed")
      for grid in grids {
        page.figure(
          StepGrid(rows: grid.rows, scale: .computed).svg,
          caption:
            "\(grid.method): the steps of the first run from left to right; computed is full, "
            + "reused is pale.")
      }
    }
    if !exhibits.isEmpty {
      page.heading("Side by side")
      for run in Self.runs(of: exhibits) {
        var pictures: [(label: String, image: RGBImage)] = []
        for exhibit in run {
          pictures += try Comparison.strips(
            of: exhibit.result.asVideo, named: exhibit.method,
            against: exhibit.reference.asVideo, showingReference: pictures.isEmpty)
        }
        try page.pictures(pictures, caption: run[0].caption)
      }
    }
    if report.methods.contains(where: { $0.runs.count > 1 }) {
      page.heading("Every sample")
      page.table(
        titles: [
          "Prompt", "Seed", "Method", "PSNR (dB)", "SSIM", "LPIPS", "rel. L1", "Latency (s)",
        ],
        rows: report.methods.flatMap { method in method.runs.map { Self.row($0, method.name) } })
    }
    return page
  }

  /// Exhibits of the same run together: each begins with the first method.
  private static func runs(of exhibits: [Exhibit]) -> [[Exhibit]] {
    exhibits.reduce(into: []) { runs, exhibit in
      if exhibit.method == exhibits[0].method {
        runs.append([exhibit])
      } else {
        runs[runs.count - 1].append(exhibit)
      }
    }
  }

  private var subtitle: String {
    guard let setting = report.setting, let model = report.model else {
      return "\(report.methods.count) results, \(report.content)"
    }
    let runs = report.methods.last?.samples ?? 0
    return "\(model): \(setting.steps) steps, \(setting.scheduler), \(runs) samples of "
      + "\(report.content), \(setting.threads) threads"
  }

  private static func row(_ run: EvaluationReport.Sample, _ method: String) -> [String] {
    func text(_ format: String, _ value: Double?) -> String {
      value.map { String(format: format, $0) } ?? ""
    }
    return [
      run.prompt ?? "", run.seed.map { "\($0)" } ?? "", method,
      run.relativeL1 == 0 ? "identical" : text("%.2f", run.psnrDb), text("%.4f", run.ssim),
      text("%.4f", run.lpips), text("%.4f", run.relativeL1), text("%.2f", run.seconds),
    ]
  }
}
