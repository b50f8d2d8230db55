/// Curves over steps.
public struct LineChart: Sendable {
  /// One curve; its first value is at `start`.
  public struct Series: Sendable {
    /// What the legend says.
    public let label: String
    /// The values, one a step; those that are not finite leave a gap.
    public let values: [Double]
    /// The step of the first value.
    public let start: Int

    /// A curve.
    public init(_ label: String, _ values: [Double], start: Int = 0) {
      self.label = label
      self.values = values
      self.start = start
    }
  }

  private let series: [Series]
  private let steps: Int
  private let marks: [Int]
  private let rule: Double?

  private static let width = 1000.0
  private static let height = 260.0
  private static let left = 56.0
  private static let bottom = 34.0
  private static let top = 28.0

  /// Curves over steps 0 to `steps − 1`.
  ///
  /// `marks` are steps with a vertical line, `rule` is a value with a horizontal one.
  public init(_ series: [Series], steps: Int, marks: [Int] = [], rule: Double? = nil) {
    self.series = series
    self.steps = steps
    self.marks = marks
    self.rule = rule
  }

  /// The chart as an SVG element.
  public var svg: String {
    let values = series.flatMap(\.values).filter(\.isFinite) + (rule.map { [$0] } ?? [])
    let ticks = Self.ticks(from: min(values.min() ?? 0, 0), to: values.max() ?? 1)
    let (low, high) = (ticks.first ?? 0, ticks.last ?? 1)
    func x(_ step: Double) -> Double {
      Self.left + (Self.width - Self.left - 12) * step / Double(max(steps - 1, 1))
    }
    func y(_ value: Double) -> Double {
      let part = high > low ? (value - low) / (high - low) : 0
      return Self.height - Self.bottom - (Self.height - Self.bottom - Self.top) * part
    }
    var parts: [String] = []
    for tick in ticks {
      let place = Markup.place(y(tick))
      parts.append(
        "<line class=\"axis\" x1=\"\(Self.left)\" x2=\"\(Self.width - 12)\" y1=\"\(place)\" "
          + "y2=\"\(place)\"/>")
      parts.append(
        "<text x=\"\(Self.left - 8)\" y=\"\(Markup.place(y(tick) + 4))\" text-anchor=\"end\">"
          + "\(Markup.short(tick))</text>")
    }
    for step in Self.stepTicks(steps) {
      parts.append(
        "<text x=\"\(Markup.place(x(Double(step))))\" y=\"\(Self.height - 14)\" "
          + "text-anchor=\"middle\">\(step)</text>")
    }
    for mark in marks {
      let place = Markup.place(x(Double(mark)))
      parts.append(
        "<line class=\"mark\" x1=\"\(place)\" x2=\"\(place)\" y1=\"\(Self.top)\" "
          + "y2=\"\(Self.height - Self.bottom)\"/>")
    }
    if let rule {
      parts.append(
        "<line class=\"mark\" x1=\"\(Self.left)\" x2=\"\(Self.width - 12)\" "
          + "y1=\"\(Markup.place(y(rule)))\" y2=\"\(Markup.place(y(rule)))\"/>")
    }
    var legend = Self.left
    for (number, one) in series.enumerated() {
      let color = "var(--s\(number % 6))"
      let path = Self.path(one, x, y)
      parts.append("<path class=\"curve\" style=\"stroke:\(color)\" d=\"\(path)\"/>")
      parts.append(
        "<rect x=\"\(Markup.place(legend))\" y=\"5\" width=\"10\" height=\"10\" rx=\"2\" "
          + "style=\"fill:\(color)\"/><text x=\"\(Markup.place(legend + 15))\" y=\"14\">"
          + "\(Markup.escaped(one.label))</text>")
      legend += 34 + 6.6 * Double(one.label.count)
    }
    return
      "<svg viewBox=\"0 0 \(Int(Self.width)) \(Int(Self.height))\" width=\"\(Int(Self.width))\""
      + " role=\"img\">\(parts.joined())</svg>"
  }

  private static func path(
    _ series: Series, _ x: (Double) -> Double, _ y: (Double) -> Double
  ) -> String {
    var path = ""
    var isDown = false
    for (index, value) in series.values.enumerated() {
      guard value.isFinite else {
        isDown = false
        continue
      }
      let place = Markup.place(x(Double(series.start + index))) + " " + Markup.place(y(value))
      path += (isDown ? "L" : "M") + place
      isDown = true
    }
    return path
  }

  /// About ten steps to name, the first and round ones.
  static func stepTicks(_ steps: Int) -> [Int] {
    let distance = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].first { steps <= 12 * $0 } ?? 2000
    return Array(stride(from: 0, to: steps, by: distance))
  }

  /// Three to six round values that enclose a range.
  static func ticks(from low: Double, to high: Double) -> [Double] {
    let span = high > low ? high - low : max(abs(high), 1)
    var unit = 1.0
    while unit * 5 < span { unit *= 10 }
    while unit >= span * 2 { unit /= 10 }
    let distance = [0.1, 0.2, 0.25, 0.5, 1, 2].map { $0 * unit }.first { span <= 5 * $0 } ?? unit
    let first = (low / distance).rounded(.down)
    let last = max((high / distance).rounded(.up), first + 1)
    return stride(from: first, through: last, by: 1).map { $0 * distance }
  }
}
