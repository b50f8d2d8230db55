/// A half-open range of byte offsets in a source file.
public struct SourceRange: Hashable, Sendable {
  /// The offset of the first byte.
  public var start: Int
  /// The offset after the last byte.
  public var end: Int

  /// A range from `start` up to, not including, `end`.
  public init(start: Int, end: Int) {
    self.start = start
    self.end = end
  }

  /// The smallest range that holds this one and another.
  package func union(_ other: SourceRange) -> SourceRange {
    SourceRange(start: min(start, other.start), end: max(end, other.end))
  }
}

/// A place in a text file as editors count it.
public struct SourcePosition: Hashable, Sendable {
  /// The line, from 1; lines end at LF, CRLF or CR.
  public var line: Int
  /// The column, from 1, counted in Unicode scalars; a tab is one column.
  public var column: Int

  /// A line and a column.
  public init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }
}

/// The bytes of a schedule or adapter file, with the path that diagnostics print.
public struct SourceFile: Hashable, Sendable {
  /// The path as the user gave it.
  public let path: String
  /// The content, in any encoding: the lexer reports what is not UTF-8.
  public let bytes: [UInt8]
  /// The offset of the first byte of every line.
  let lineStarts: [Int]

  /// A file of raw bytes.
  public init(path: String, bytes: [UInt8]) {
    self.path = path
    self.bytes = bytes
    var starts = [0]
    for (offset, byte) in bytes.enumerated() {
      let isCarriageReturn =
        byte == 0x0D && !(offset + 1 < bytes.count && bytes[offset + 1] == 0x0A)
      if byte == 0x0A || isCarriageReturn { starts.append(offset + 1) }
    }
    lineStarts = starts
  }

  /// A file of text.
  public init(path: String, text: String) {
    self.init(path: path, bytes: Array(text.utf8))
  }

  static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

  /// The offset at which the text begins: after a byte order mark, if there is one.
  var textStart: Int { bytes.starts(with: Self.byteOrderMark) ? 3 : 0 }

  /// The line and column of a byte; offsets past the end give the place after the last byte.
  public func position(of offset: Int) -> SourcePosition {
    let offset = min(max(offset, 0), bytes.count)
    let line = lineIndex(of: offset)
    let start = max(lineStarts[line], line == 0 ? textStart : 0)
    let scalars = bytes[start..<max(start, offset)].count { $0 & 0xC0 != 0x80 }
    return SourcePosition(line: line + 1, column: scalars + 1)
  }

  /// The text of a range, with what is not UTF-8 replaced.
  package func text(_ range: SourceRange) -> String {
    String(decoding: bytes[range.start..<range.end], as: UTF8.self)
  }

  /// The bytes of the line that holds an offset, without its line break.
  func lineRange(holding offset: Int) -> SourceRange {
    let line = lineIndex(of: min(max(offset, 0), bytes.count))
    let start = max(lineStarts[line], line == 0 ? textStart : 0)
    var end = line + 1 < lineStarts.count ? lineStarts[line + 1] : bytes.count
    while end > start, bytes[end - 1] == 0x0A || bytes[end - 1] == 0x0D { end -= 1 }
    return SourceRange(start: start, end: max(start, end))
  }

  private func lineIndex(of offset: Int) -> Int {
    var low = 0
    var high = lineStarts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if lineStarts[middle] <= offset { low = middle } else { high = middle }
    }
    return low
  }
}
