/// Points in groups, with a line through some of them: speed against quality.
public struct ScatterChart: Sendable {
  /// One group.
  public struct Series: Sendable {
    /// What the legend says.
    public let label: String
    /// The points.
    public let points: [(x: Double, y: Double)]

    /// A group.
    public init(_ label: String, _ points: [(x: Double, y: Double)]) {
      self.label = label
      self.points = points
    }
  }

  private let series: [Series]
  private let front: [(x: Double, y: Double)]
  private let titles: (x: String, y: String)

  private static let width = 1000.0
  private static let plotHeight = 360.0
  private static let left = 64.0
  private static let right = 12.0
  private static let bottom = 46.0
  private static let legendColumn = 320.0

  /// Points, and a line through `front` in the order of x; what is not finite is left out.
  public init(
    _ series: [Series], front: [(x: Double, y: Double)], xTitle: String, yTitle: String
  ) {
    self.series = series
    self.front = front.filter { $0.x.isFinite && $0.y.isFinite }.sorted { $0.x < $1.x }
    titles = (xTitle, yTitle)
  }

  /// The chart as an SVG element.
  public var svg: String {
    let points = series.flatMap(\.points).filter { $0.x.isFinite && $0.y.isFinite }
    let xs = Self.scale(points.map(\.x)), ys = Self.scale(points.map(\.y))
    let columns = Int(Self.width / Self.legendColumn)
    let top = 12.0 + 20 * Double((series.count + columns - 1) / columns)
    func x(_ value: Double) -> Double {
      Self.left + (Self.width - Self.left - Self.right) * xs.part(value)
    }
    func y(_ value: Double) -> Double {
      top + (Self.plotHeight - Self.bottom) * (1 - ys.part(value))
    }
    let floor = y(ys.low)
    var parts: [String] = []
    for tick in ys.ticks {
      parts.append(
        "<line class=\"axis\" x1=\"\(Self.left)\" x2=\"\(Self.width - Self.right)\" "
          + "y1=\"\(Markup.place(y(tick)))\" y2=\"\(Markup.place(y(tick)))\"/>"
          + Self.label(Markup.short(tick), Self.left - 8, y(tick) + 4, anchor: "end"))
    }
    for tick in xs.ticks {
      parts.append(Self.label(Markup.short(tick), x(tick), floor + 18, anchor: "middle"))
    }
    parts.append(Self.label(titles.x, Self.width - Self.right, floor + 36, anchor: "end"))
    parts.append(Self.label(titles.y, Self.left + 6, top + 12, anchor: "start"))
    if front.count > 1 {
      let path = front.enumerated().map { place, point in
        "\(place == 0 ? "M" : "L")\(Markup.place(x(point.x))) \(Markup.place(y(point.y)))"
      }
      parts.append(
        "<path class=\"curve\" style=\"stroke:var(--dim);stroke-width:1.2\" "
          + "d=\"\(path.joined())\"/>")
    }
    for (number, group) in series.enumerated() {
      let color = "fill:var(--s\(number % 6));opacity:\(number < 6 ? 0.9 : 0.5)"
      for point in group.points where point.x.isFinite && point.y.isFinite {
        parts.append(
          "<circle cx=\"\(Markup.place(x(point.x)))\" cy=\"\(Markup.place(y(point.y)))\" r=\"4\" "
            + "style=\"\(color)\"><title>\(Markup.escaped(group.label)): "
            + "\(Markup.short(point.x)), \(Markup.short(point.y))</title></circle>")
      }
      let column = Self.left + Double(number % columns) * Self.legendColumn
      let row = 8.0 + 20 * Double(number / columns)
      parts.append(
        "<circle cx=\"\(Markup.place(column + 5))\" cy=\"\(row)\" r=\"5\" style=\"\(color)\"/>"
          + Self.label(group.label, column + 15, row + 4, anchor: "start"))
    }
    return
      "<svg viewBox=\"0 0 \(Int(Self.width)) \(Int(floor + 44))\" width=\"\(Int(Self.width))\""
      + " role=\"img\">\(parts.joined())</svg>"
  }

  private static func label(
    _ text: String, _ x: Double, _ y: Double, anchor: String
  ) -> String {
    "<text x=\"\(Markup.place(x))\" y=\"\(Markup.place(y))\" text-anchor=\"\(anchor)\">"
      + "\(Markup.escaped(text))</text>"
  }

  /// Round values around all numbers.
  private static func scale(
    _ values: [Double]
  ) -> (ticks: [Double], low: Double, part: (Double) -> Double) {
    let ticks = LineChart.ticks(from: values.min() ?? 0, to: values.max() ?? 1)
    let low = ticks.first ?? 0, high = ticks.last ?? 1
    return (ticks, low, { high > low ? ($0 - low) / (high - low) : 0 })
  }
}
