import Foundation

/// An evaluation as the table of the field: one row a method, the baseline first.
public struct EvaluationTable: Sendable {
  private let columns: [(title: String, cells: [String])]

  /// The columns that have a figure in any row.
  public init(_ report: EvaluationReport) {
    let methods = report.methods
    typealias Column = (title: String, cells: [String])
    func column(_ title: String, _ value: (EvaluationReport.Method) -> String?) -> Column? {
      let cells = methods.map(value)
      return cells.contains { $0 != nil } ? (title, cells.map { $0 ?? "" }) : nil
    }
    func psnr(_ method: EvaluationReport.Method) -> String? {
      guard method.samples > 0 else { return nil }
      return method.psnrDb.map { Self.spread($0, "%.2f") } ?? "identical"
    }
    columns = [
      column("Method") { $0.name },
      column("Computed") { $0.computed.map { Self.text("%.1f %%", 100 * $0) } },
      column("Latency (s) ↓") { $0.seconds.map { Self.text("%.2f", $0) } },
      column("Speedup ↑") { $0.speedup.map { Self.text("%.2fx", $0) } },
      column("GFLOPs ↓") { $0.flops.map { Self.text("%.2f", $0 / 1e9) } },
      column("State (MB) ↓") { $0.stateBytes.map { Self.text("%.2f", Double($0) / 1e6) } },
      column("Memory (MB) ↓") { $0.peakBytes.map { Self.text("%.1f", Double($0) / 1e6) } },
      column("PSNR (dB) ↑", psnr),
      column("worst (dB) ↑") { $0.psnrDb.map { Self.text("%.2f", $0.minimum) } },
      column("SSIM ↑") { $0.ssim.map { Self.spread($0, "%.4f") } },
      column("LPIPS ↓") { $0.lpips.map { Self.spread($0, "%.4f") } },
      column("Fréchet ↓") { $0.frechet.map { Self.text("%.4g", $0) } },
      column("rel. L1 ↓") { $0.relativeL1.map { Self.text("%.4f", $0.mean) } },
      column("cosine ↑") { $0.cosine.map { Self.text("%.5f", $0.mean) } },
    ].compactMap { $0 }
  }

  /// The table in Markdown.
  public var markdown: String {
    let rows = [columns.map(\.title)] + rows
    let widths = columns.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    func line(_ cells: [String]) -> String {
      let padded = cells.enumerated().map { column, text in
        let space = String(repeating: " ", count: widths[column] - text.count)
        return column == 0 ? text + space : space + text
      }
      return "| " + padded.joined(separator: " | ") + " |"
    }
    let rule = widths.enumerated().map { column, width in
      column == 0
        ? String(repeating: "-", count: width) : String(repeating: "-", count: width - 1) + ":"
    }
    return ([line(rows[0]), line(rule)] + rows.dropFirst().map(line)).joined(separator: "\n") + "\n"
  }

  /// The titles and rows, for drawing.
  var titles: [String] { columns.map(\.title) }

  /// The cells, row by row.
  var rows: [[String]] {
    (0..<(columns.first?.cells.count ?? 0)).map { row in columns.map { $0.cells[row] } }
  }

  private static func text(_ format: String, _ number: Double) -> String {
    String(format: format, number)
  }

  /// The mean, with the standard deviation where there are several samples.
  private static func spread(_ summary: EvaluationReport.Summary, _ format: String) -> String {
    let mean = text(format, summary.mean)
    return summary.minimum == summary.maximum
      ? mean : "\(mean) ± \(text(format, summary.deviation))"
  }
}

extension EvaluationReport {
  /// Every figure of every method, comma-separated with a line of names (RFC 4180).
  public var csv: String {
    let names = [
      "method", "samples", "identical", "computed", "seconds", "speedup", "flops", "state_bytes",
      "peak_bytes", "psnr_db_mean", "psnr_db_deviation", "psnr_db_min", "ssim_mean", "ssim_min",
      "lpips_mean", "lpips_max", "frechet", "relative_l1", "relative_l2", "cosine",
    ]
    func cell(_ number: Double?) -> String { number.map { "\($0)" } ?? "" }
    let lines = methods.map { method -> String in
      let quoted = "\"\(method.name.replacing("\"", with: "\"\""))\""
      let numbers: [Double?] = [
        method.computed, method.seconds, method.speedup, method.flops,
        method.stateBytes.map(Double.init), method.peakBytes.map(Double.init),
        method.psnrDb?.mean, method.psnrDb?.deviation, method.psnrDb?.minimum, method.ssim?.mean,
        method.ssim?.minimum, method.lpips?.mean, method.lpips?.maximum, method.frechet,
        method.relativeL1?.mean, method.relativeL2?.mean, method.cosine?.mean,
      ]
      return ([quoted, "\(method.samples)", "\(method.identical)"] + numbers.map(cell))
        .joined(separator: ",")
    }
    return ([names.joined(separator: ",")] + lines).joined(separator: "\r\n") + "\r\n"
  }
}
