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

  private static let width = 1000.0
  private static let characterWidth = 6.4

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
    let characters = rows.map(\.label.count).max() ?? 0
    let labelWidth = min(max(Self.characterWidth * Double(characters) + 20, 60), 360)
    let cell = (Self.width - labelWidth - 8) / Double(max(steps, 1))
    let height = rows.count > 40 ? 9.0 : rows.count > 16 ? 14 : 20
    var parts: [String] = []
    for (row, (label, values)) in rows.enumerated() {
      let y = Double(row) * height
      parts.append(
        "<text x=\"\(labelWidth - 10)\" y=\"\(Markup.place(y + height / 2 + 4))\" "
          + "text-anchor=\"end\">\(Markup.escaped(label))</text>")
      if highlighted.contains(row) {
        parts.append(
          "<rect x=\"\(labelWidth - 6)\" y=\"\(Markup.place(y + 1))\" width=\"3\" "
            + "height=\"\(Markup.place(height - 2))\" style=\"fill:var(--s1)\"/>")
      }
      for (step, value) in values.enumerated() {
        parts.append(
          "<rect x=\"\(Markup.place(labelWidth + Double(step) * cell))\" "
            + "y=\"\(Markup.place(y + 0.5))\" width=\"\(Markup.place(max(cell - 1, 0.5)))\" "
            + "height=\"\(Markup.place(height - 1))\" \(color(value))><title>"
            + "\(Markup.escaped(label)), step \(step): \(Markup.short(value))</title></rect>")
      }
    }
    let bottom = Double(rows.count) * height
    for step in LineChart.stepTicks(steps) {
      let x = labelWidth + (Double(step) + 0.5) * cell
      parts.append(
        "<text x=\"\(Markup.place(x))\" y=\"\(Markup.place(bottom + 16))\" "
          + "text-anchor=\"middle\">\(step)</text>")
    }
    var end = bottom + 22
    if case .range(let range) = scale {
      parts.append(Self.legend(of: range, x: labelWidth, y: end + 4))
      end += 24
    }
    return
      "<svg viewBox=\"0 0 \(Int(Self.width)) \(Int(end))\" width=\"\(Int(Self.width))\""
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
      return "fill=\"\(HeatScale.hex(part))\""
    }
  }

  /// Which number each colour of a range is.
  private static func legend(of range: ClosedRange<Double>, x: Double, y: Double) -> String {
    let width = 180.0
    let slices = 60
    let low = Markup.short(range.lowerBound)
    let start = x + characterWidth * Double(low.count) + 8
    var parts = ["<text x=\"\(Markup.place(x))\" y=\"\(Markup.place(y + 10))\">\(low)</text>"]
    for slice in 0..<slices {
      let color = HeatScale.hex(Double(slice) / Double(slices - 1))
      // A little wider than its share, so that no gaps show.
      parts.append(
        "<rect x=\"\(Markup.place(start + Double(slice) * width / Double(slices)))\" "
          + "y=\"\(Markup.place(y))\" width=\"\(Markup.place(width / Double(slices) + 0.5))\" "
          + "height=\"12\" fill=\"\(color)\"/>")
    }
    parts.append(
      "<text x=\"\(Markup.place(start + width + 8))\" y=\"\(Markup.place(y + 10))\">"
        + "\(Markup.short(range.upperBound))</text>")
    return parts.joined()
  }
}
