/// One cell for each block and step: blocks from top to bottom, steps from left to right.
public struct StepGrid: Sendable {
  /// How values become colours.
  public enum Scale: Sendable {
    /// Computed is 1 and drawn full, reused is 0 and drawn pale; parts lie between.
    case computed
    /// A range of numbers, dark to light.
    case range(ClosedRange<Double>)
  }

  private let rows: [(label: String, values: [Double])]
  private let scale: Scale
  private let highlighted: Set<Int>

  private static let labelWidth = 180.0
  private static let width = 1000.0

  /// A grid; `highlighted` rows have a mark beside their label.
  public init(
    rows: [(label: String, values: [Double])], scale: Scale, highlighted: Set<Int> = []
  ) {
    self.rows = rows
    self.scale = scale
    self.highlighted = highlighted
  }

  /// The grid as an SVG element.
  public var svg: String {
    let steps = rows.map(\.values.count).max() ?? 0
    let cell = (Self.width - Self.labelWidth - 8) / Double(max(steps, 1))
    let height = rows.count > 40 ? 9.0 : rows.count > 16 ? 14 : 20
    var parts: [String] = []
    for (row, (label, values)) in rows.enumerated() {
      let y = Double(row) * height
      parts.append(
        "<text x=\"\(Self.labelWidth - 10)\" y=\"\(Markup.place(y + height / 2 + 4))\" "
          + "text-anchor=\"end\">\(Markup.escaped(label))</text>")
      if highlighted.contains(row) {
        parts.append(
          "<rect x=\"\(Self.labelWidth - 6)\" y=\"\(Markup.place(y + 1))\" width=\"3\" "
            + "height=\"\(Markup.place(height - 2))\" style=\"fill:var(--s1)\"/>")
      }
      for (step, value) in values.enumerated() {
        parts.append(
          "<rect x=\"\(Markup.place(Self.labelWidth + Double(step) * cell))\" "
            + "y=\"\(Markup.place(y + 0.5))\" width=\"\(Markup.place(max(cell - 1, 0.5)))\" "
            + "height=\"\(Markup.place(height - 1))\" \(color(value))><title>"
            + "\(Markup.escaped(label)), step \(step): \(Markup.short(value))</title></rect>")
      }
    }
    let bottom = Double(rows.count) * height
    for step in LineChart.stepTicks(steps) {
      let x = Self.labelWidth + (Double(step) + 0.5) * cell
      parts.append(
        "<text x=\"\(Markup.place(x))\" y=\"\(Markup.place(bottom + 16))\" "
          + "text-anchor=\"middle\">\(step)</text>")
    }
    return
      "<svg viewBox=\"0 0 \(Int(Self.width)) \(Int(bottom + 22))\" width=\"\(Int(Self.width))\""
      + " role=\"img\">\(parts.joined())</svg>"
  }

  private func color(_ value: Double) -> String {
    switch scale {
    case .computed:
      let opacity = Markup.place(0.1 + 0.9 * min(max(value, 0), 1))
      return "style=\"fill:var(--s0);opacity:\(opacity)\""
    case .range(let range):
      let width = range.upperBound - range.lowerBound
      let part = width > 0 ? (value - range.lowerBound) / width : 0
      return "fill=\"\(Self.heat(part))\""
    }
  }

  /// Dark violet over magenta and orange to pale yellow, evenly in lightness.
  static func heat(_ part: Double) -> String {
    let stops: [(Double, Double, Double)] = [
      (24, 15, 61), (91, 22, 110), (158, 47, 100), (217, 82, 63), (247, 142, 36), (252, 229, 160),
    ]
    guard part.isFinite else { return "#888888" }
    let place = min(max(part, 0), 1) * Double(stops.count - 1)
    let below = min(Int(place), stops.count - 2)
    let rest = place - Double(below)
    let (a, b) = (stops[below], stops[below + 1])
    return [(a.0, b.0), (a.1, b.1), (a.2, b.2)].reduce(into: "#") { text, ends in
      let level = Int((ends.0 + (ends.1 - ends.0) * rest).rounded())
      text += (level < 16 ? "0" : "") + String(level, radix: 16)
    }
  }
}
