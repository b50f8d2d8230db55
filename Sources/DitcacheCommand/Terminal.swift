import Foundation

/// What people see: results on standard output, everything else on standard error.
enum Terminal {
  static let isInteractive = isatty(STDERR_FILENO) == 1

  static func printWarning(_ text: String) {
    write("ditcache: warning: \(text)\n")
  }

  static func write(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
  }

  /// Rows with columns padded to a common width.
  static func table(_ rows: [[String]], indent: String = "  ") -> String {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
      rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      let cells = row.enumerated().map { column, text in
        column == row.count - 1
          ? text : text + String(repeating: " ", count: widths[column] - text.count)
      }
      return indent + cells.joined(separator: "  ")
    }.joined(separator: "\n")
  }

  static func decimal(_ number: Double, _ digits: Int = 2) -> String {
    String(format: "%.\(digits)f", number)
  }

  /// A number with four significant digits.
  static func short(_ number: Double) -> String { String(format: "%.4g", number) }

  /// A number of operations or bytes with its unit: `1.23 G`.
  static func scaled(_ number: Int, unit: String) -> String {
    let scales: [(Double, String)] = [(1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")]
    for (scale, prefix) in scales where Double(number) >= scale {
      return "\(decimal(Double(number) / scale)) \(prefix)\(unit)"
    }
    return "\(number) \(unit)"
  }
}

/// A bar on a terminal; nothing elsewhere.
final class ProgressBar {
  private let quiet: Bool
  private var title = ""
  private var start = Date()

  init(quiet: Bool) {
    self.quiet = quiet || !Terminal.isInteractive
  }

  func update(_ title: String, _ done: Int, _ total: Int) {
    guard !quiet, total > 0 else { return }
    if title != self.title {
      self.title = title
      start = Date()
    }
    let width = 30
    let filled = done * width / total
    let bar = String(repeating: "█", count: filled) + String(repeating: "·", count: width - filled)
    let seconds = Terminal.decimal(Date().timeIntervalSince(start), 1)
    let padded = title.padding(toLength: 9, withPad: " ", startingAt: 0)
    Terminal.write("\r\(padded) \(bar) \(done)/\(total)  \(seconds) s ")
    if done == total { Terminal.write("\n") }
  }
}

extension Terminal {
  /// A duration in seconds.
  static func seconds(_ duration: Duration) -> Double {
    let parts = duration.components
    return Double(parts.seconds) + Double(parts.attoseconds) / 1e18
  }
}
