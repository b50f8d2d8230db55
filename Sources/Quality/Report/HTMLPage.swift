import Foundation
public import Tensors

/// A report in one HTML file: no scripts, nothing from the network, pictures inside.
public struct HTMLPage: Sendable {
  private let title: String
  private var body = ""

  /// An empty page; `subtitle` stands below its title.
  public init(title: String, subtitle: String) {
    self.title = title
    body = "<h1>\(Markup.escaped(title))</h1>\n<p class=\"lead\">\(Markup.escaped(subtitle))</p>\n"
  }

  /// Begins a section.
  public mutating func heading(_ text: String) {
    body += "<h2>\(Markup.escaped(text))</h2>\n"
  }

  /// Adds a paragraph.
  public mutating func paragraph(_ text: String) {
    body += "<p>\(Markup.escaped(text))</p>\n"
  }

  /// Adds text as it stands, in a fixed-width font.
  public mutating func listing(_ text: String) {
    body += "<pre>\(Markup.escaped(text))</pre>\n"
  }

  /// Adds figures in large type, each above what it is.
  public mutating func figures(_ figures: [(value: String, caption: String)]) {
    let cells = figures.map {
      "<div><b>\(Markup.escaped($0.value))</b><span>\(Markup.escaped($0.caption))</span></div>"
    }
    body += "<div class=\"figures\">\(cells.joined())</div>\n"
  }

  /// Adds a table; the first column is text, the others are numbers.
  public mutating func table(titles: [String], rows: [[String]]) {
    func row(_ cells: [String], _ tag: String) -> String {
      "<tr>" + cells.map { "<\(tag)>\(Markup.escaped($0))</\(tag)>" }.joined() + "</tr>\n"
    }
    body += "<div class=\"scroll\"><table>\n<thead>\(row(titles, "th"))</thead>\n<tbody>"
    body += rows.map { row($0, "td") }.joined() + "</tbody></table></div>\n"
  }

  /// Adds a drawing with a caption.
  public mutating func figure(_ svg: String, caption: String) {
    body += "<figure><div class=\"scroll\">\(svg)</div>"
    body += "<figcaption>\(Markup.escaped(caption))</figcaption></figure>\n"
  }

  /// Adds pictures side by side, each above its label, all below a caption.
  public mutating func pictures(
    _ pictures: [(label: String, image: RGBImage)], caption: String
  ) throws(QualityError) {
    var cells = ""
    for (label, image) in pictures {
      let data = Data(try image.pngData()).base64EncodedString()
      cells +=
        "<div><img alt=\"\(Markup.escaped(label))\" width=\"\(image.width)\" "
        + "height=\"\(image.height)\" src=\"data:image/png;base64,\(data)\">"
        + "<span>\(Markup.escaped(label))</span></div>"
    }
    body += "<figure><p class=\"title\">\(Markup.escaped(caption))</p>"
    body += "<div class=\"pictures\">\(cells)</div></figure>\n"
  }

  /// The whole file.
  public var text: String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(Markup.escaped(title))</title>
    <style>
    \(Self.style)
    </style>
    </head>
    <body>
    \(body)</body>
    </html>

    """
  }

  /// Writes the page durably; `inputs` are files that must not be replaced.
  public func write(to path: String, inputs: Set<FileIdentity> = []) throws(QualityError) {
    try QualityError.writing(Array(text.utf8), to: path, inputs: inputs)
  }

  private static let style = """
    :root { --ink: #1c2330; --dim: #667085; --line: #e4e7ec; --paper: #fff; --soft: #f7f8fa;
      --s0: #2f6fde; --s1: #e4572e; --s2: #17a398; --s3: #a04bc9; --s4: #d99a00; --s5: #5c6b7a; }
    @media (prefers-color-scheme: dark) { :root { --ink: #e8eaf0; --dim: #98a2b3; --line: #333a47;
      --paper: #14181f; --soft: #1c222c; --s0: #6ea0ff; --s1: #ff8a66; --s2: #4fd1c5; --s3: #cf8bf0;
      --s4: #f0c04a; --s5: #9aa7b4; } }
    * { box-sizing: border-box; }
    body { margin: 0 auto; padding: 40px 28px 64px; max-width: 1080px; color: var(--ink);
      background: var(--paper); font: 15px/1.55 system-ui, "Segoe UI", "Helvetica Neue", sans-serif; }
    h1 { margin: 0; font-size: 28px; letter-spacing: -.01em; }
    h2 { margin: 44px 0 12px; padding-top: 20px; border-top: 1px solid var(--line);
      font-size: 19px; }
    .lead { margin: 4px 0 24px; color: var(--dim); }
    .figures { display: flex; flex-wrap: wrap; gap: 12px; margin-bottom: 24px; }
    .figures div { flex: 1 1 120px; padding: 14px 16px; border-radius: 10px;
      background: var(--soft); }
    .figures b { display: block; font-size: 22px; font-variant-numeric: tabular-nums; }
    .figures span, figcaption, .pictures span { color: var(--dim); font-size: 13px; }
    .scroll { overflow-x: auto; }
    table { width: 100%; border-collapse: collapse; font-size: 13.5px;
      font-variant-numeric: tabular-nums; }
    th, td { padding: 7px 0 7px 14px; border-bottom: 1px solid var(--line); text-align: right;
      white-space: nowrap; }
    th { color: var(--dim); font-size: 12px; font-weight: 600; white-space: normal;
      vertical-align: bottom; }
    th:first-child, td:first-child { padding-left: 0; text-align: left; }
    tbody tr:first-child td { color: var(--dim); }
    figure { margin: 18px 0 26px; }
    figcaption { margin-top: 8px; }
    .pictures { display: flex; flex-wrap: wrap; gap: 12px 18px; }
    .title { margin: 0 0 8px; font-weight: 600; overflow-wrap: anywhere; }
    .pictures img { display: block; max-width: 100%; height: auto; border-radius: 6px;
      image-rendering: pixelated; }
    .pictures span { display: block; margin-top: 4px; }
    pre { padding: 14px 16px; border-radius: 10px; background: var(--soft); overflow-x: auto;
      font: 12.5px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; }
    svg { display: block; max-width: 100%; height: auto; }
    svg text { fill: var(--dim); font-size: 11.5px; font-family: inherit; }
    svg .axis { stroke: var(--line); fill: none; }
    svg .mark { stroke: var(--dim); stroke-dasharray: 2 3; }
    svg .curve { fill: none; stroke-width: 2; stroke-linejoin: round; }
    """
}

/// Text inside HTML and SVG.
enum Markup {
  static func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.append(character)
      }
    }
    return result
  }

  /// A coordinate with one digit behind the point.
  static func place(_ value: Double) -> String { String(format: "%.1f", value) }

  /// A number as axes and legends show it.
  static func short(_ value: Double) -> String { String(format: "%.3g", value) }
}
