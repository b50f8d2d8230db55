import Foundation

extension UndoRecord {
  private static let header = "ditcache-undo 1"

  /// The record as lines of words.
  var text: String {
    var lines = [Self.header, "original \(digest) \(byteCount)"]
    lines.append(
      "counts " + List.allCases.map { "\($0.rawValue)=\(counts[$0] ?? 0)" }.joined(separator: " "))
    for path in places.paths {
      let runs = places.runs[path] ?? []
      guard runs.contains(where: \.holdsOriginals) else { continue }
      lines.append((["place", path.text] + runs.map(\.text)).joined(separator: " "))
    }
    for piece in replaced {
      lines.append(
        "\(piece.list.rawValue) \(piece.index) \(Data(piece.bytes).base64EncodedString())")
    }
    for (index, bytes) in operands.sorted(by: { $0.key < $1.key }) {
      lines.append("operands \(index) \(Data(bytes).base64EncodedString())")
    }
    for (index, version) in opsetVersions.sorted(by: { $0.key < $1.key }) {
      lines.append("opset \(index) \(version)")
    }
    for (present, original) in locations.sorted(by: { $0.key < $1.key }) {
      lines.append("location \(present.base64) \(original.base64)")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Reads a record; nil when the text is not one.
  init?(_ text: String) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map {
      $0.split(separator: " ", omittingEmptySubsequences: false)
    }
    guard lines.count >= 4, lines[0].joined(separator: " ") == Self.header,
      lines[1].count == 3, lines[1][0] == "original", let byteCount = Int(lines[1][2]),
      lines.last == [""]
    else { return nil }
    self.init(digest: String(lines[1][1]), byteCount: byteCount)
    for words in lines.dropFirst(2).dropLast() {
      guard read(words) else { return nil }
    }
    guard counts.count == List.allCases.count else { return nil }
  }

  private mutating func read(_ words: [Substring]) -> Bool {
    switch words[0] {
    case "counts":
      for word in words.dropFirst() {
        let parts = word.split(separator: "=")
        guard parts.count == 2, let list = List(rawValue: String(parts[0])),
          let count = Int(parts[1]), count >= 0
        else { return false }
        counts[list] = count
      }
      return true
    case "place":
      guard words.count >= 2, let path = GraphPath(text: words[1]) else { return false }
      for word in words.dropFirst(2) {
        guard let run = Run(text: word) else { return false }
        places.append(run, at: path)
      }
      return true
    case "operands":
      guard words.count == 3, let index = Int(words[1]),
        let bytes = Data(base64Encoded: String(words[2])),
        operands.updateValue([UInt8](bytes), forKey: index) == nil
      else { return false }
      return true
    case "opset":
      guard words.count == 3, let index = Int(words[1]), let version = Int(words[2]) else {
        return false
      }
      opsetVersions[index] = version
      return true
    case "location":
      guard words.count == 3, let present = String(base64: words[1]),
        let original = String(base64: words[2])
      else { return false }
      locations[present] = original
      return true
    default:
      guard words.count == 3, let list = List(rawValue: String(words[0])),
        let index = Int(words[1]), let bytes = Data(base64Encoded: String(words[2]))
      else { return false }
      replaced.append(Replaced(list: list, index: index, bytes: [UInt8](bytes)))
      return true
    }
  }
}

extension UndoRecord.Run {
  fileprivate var holdsOriginals: Bool {
    if case .new = self { false } else { true }
  }

  fileprivate var text: String {
    switch self {
    case .originals(let range):
      range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
    case .renamed(let index): "~\(index)"
    case .new(let count): "+\(count)"
    }
  }

  fileprivate init?(text: Substring) {
    if text.first == "+" {
      guard let count = Int(text.dropFirst()), count > 0 else { return nil }
      self = .new(count)
      return
    }
    if text.first == "~" {
      guard let index = Int(text.dropFirst()) else { return nil }
      self = .renamed(index)
      return
    }
    let bounds = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    guard bounds.count <= 2, let first = bounds.first ?? nil, let last = bounds.last ?? nil,
      first >= 0, first <= last
    else { return nil }
    self = .originals(first...last)
  }
}

extension GraphPath {
  fileprivate var text: String {
    "/" + steps.map { "\($0.node).\($0.attribute)" }.joined(separator: "/")
  }

  fileprivate init?(text: Substring) {
    guard text.first == "/" else { return nil }
    for step in text.dropFirst().split(separator: "/") {
      let parts = step.split(separator: ".").map { Int($0) }
      guard parts.count == 2, let node = parts[0], let attribute = parts[1] else { return nil }
      steps.append(Step(node: node, attribute: attribute))
    }
  }
}

extension String {
  fileprivate var base64: String { Data(utf8).base64EncodedString() }

  fileprivate init?(base64: Substring) {
    guard let data = Data(base64Encoded: String(base64)) else { return nil }
    self.init(data: data, encoding: .utf8)
  }
}
