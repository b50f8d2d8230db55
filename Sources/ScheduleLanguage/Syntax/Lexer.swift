/// Cuts the bytes of a file into tokens; never fails, and reports what it cannot read.
struct Lexer {
  private let source: SourceFile
  private let bytes: [UInt8]
  private var offset: Int
  private var depth = 0
  private(set) var tokens: [Token] = []
  private(set) var problems: [Problem] = []

  /// The tokens of a file, closed by an `end` token, and what is wrong with its characters.
  ///
  /// A file beyond a limit, or not UTF-8, has no tokens but `end`.
  static func tokens(of source: SourceFile) -> (tokens: [Token], problems: [Problem]) {
    var lexer = Lexer(source)
    if let refusal = lexer.refusal() {
      lexer.problems = [refusal]
      lexer.finish()
    } else {
      lexer.run()
    }
    return (lexer.tokens, lexer.problems)
  }

  private init(_ source: SourceFile) {
    self.source = source
    bytes = source.bytes
    offset = source.textStart
  }

  private func refusal() -> Problem? {
    guard bytes.count <= Limits.fileByteCount else {
      return Problem(
        "file-too-large", at: SourceRange(start: 0, end: 0),
        "the file has \(bytes.count) bytes; the limit is \(Limits.fileByteCount)")
    }
    for start in source.lineStarts {
      let line = source.lineRange(holding: start)
      guard line.end - line.start <= Limits.lineByteCount else {
        return Problem(
          "line-too-long", at: SourceRange(start: start, end: start),
          "the line has \(line.end - line.start) bytes; the limit is \(Limits.lineByteCount)")
      }
    }
    if let invalid = UTF8Check.firstInvalid(in: bytes) {
      let byte = String(bytes[invalid], radix: 16, uppercase: true)
      return Problem(
        "not-utf8", at: SourceRange(start: invalid, end: invalid + 1),
        "the byte 0x\(byte) is not part of UTF-8 text")
    }
    return nil
  }

  private mutating func run() {
    while true {
      var comments: [Comment] = []
      var newlines = 0
      while let byte = peek() {
        switch byte {
        case 0x20, 0x09: offset += 1
        case 0x0A, 0x0D:
          offset += byte == 0x0D && peek(1) == 0x0A ? 2 : 1
          newlines += 1
        case UInt8(ascii: "#"):
          comments.append(Comment(text: comment(), newlinesBefore: newlines))
          newlines = 0
        default:
          token(comments, newlines)
          comments = []
          newlines = 0
        }
        if depth > Limits.nesting { return finish() }
      }
      return finish(comments, newlines)
    }
  }

  private mutating func finish(_ comments: [Comment] = [], _ newlines: Int = 0) {
    let end = SourceRange(start: bytes.count, end: bytes.count)
    tokens.append(
      Token(kind: .end, range: end, comments: comments, newlinesBefore: newlines))
  }

  private func peek(_ distance: Int = 0) -> UInt8? {
    offset + distance < bytes.count ? bytes[offset + distance] : nil
  }

  private mutating func comment() -> String {
    let start = offset
    while let byte = peek(), byte != 0x0A, byte != 0x0D { offset += 1 }
    let text = source.text(SourceRange(start: start, end: offset))
    var place = start
    for scalar in text.unicodeScalars {
      if CharacterRules.isForbidden(scalar) { forbid(scalar, at: place) }
      place += UTF8.width(scalar)
    }
    var scalars = text.unicodeScalars
    while let last = scalars.last, last == " " || last == "\t" { scalars.removeLast() }
    return String(scalars)
  }

  private mutating func forbid(_ scalar: Unicode.Scalar, at place: Int) {
    let name = CharacterRules.name(of: scalar)
    problems.append(
      Problem(
        "forbidden-character", at: SourceRange(start: place, end: place + UTF8.width(scalar)),
        "the invisible character \(name) is not allowed"))
  }

  private mutating func token(_ comments: [Comment], _ newlines: Int) {
    let start = offset
    let kind = nextKind()
    let range = SourceRange(start: start, end: offset)
    tokens.append(Token(kind: kind, range: range, comments: comments, newlinesBefore: newlines))
    switch kind {
    case .mark(.openBrace), .mark(.openBracket), .mark(.openParenthesis):
      depth += 1
      if depth > Limits.nesting {
        problems.append(
          Problem(
            "nested-too-deeply", at: range,
            "brackets are nested deeper than \(Limits.nesting)"))
      }
    case .mark(.closeBrace), .mark(.closeBracket), .mark(.closeParenthesis):
      depth = max(0, depth - 1)
    default: break
    }
  }

  private mutating func nextKind() -> Token.Kind {
    guard let byte = peek() else { return .end }
    if CharacterRules.isWordStart(byte) { return word() }
    if CharacterRules.isDigit(byte) { return number() }
    if byte == UInt8(ascii: "\"") { return string() }
    for mark in Token.Mark.allCases where matches(mark) {
      offset += mark.rawValue.utf8.count
      return .mark(mark)
    }
    return unexpected()
  }

  private func matches(_ mark: Token.Mark) -> Bool {
    for (distance, byte) in mark.rawValue.utf8.enumerated() where peek(distance) != byte {
      return false
    }
    return true
  }

  /// A word: letters, digits and underscores, with single minus signs between them.
  private mutating func word() -> Token.Kind {
    let start = offset
    while let byte = peek() {
      let isInnerMinus =
        byte == UInt8(ascii: "-") && peek(1).map(CharacterRules.isWordPart) == true
      guard CharacterRules.isWordPart(byte) || isInnerMinus else { break }
      offset += 1
    }
    return .word(source.text(SourceRange(start: start, end: offset)))
  }

  /// A number: digits, then perhaps a fraction, then perhaps an exponent.
  private mutating func number() -> Token.Kind {
    let start = offset
    var isWhole = true
    skipDigits()
    if peek() == UInt8(ascii: "."), peek(1).map(CharacterRules.isDigit) == true {
      isWhole = false
      offset += 1
      skipDigits()
    }
    if peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E") {
      let sign = peek(1) == UInt8(ascii: "-") || peek(1) == UInt8(ascii: "+") ? 1 : 0
      if peek(1 + sign).map(CharacterRules.isDigit) == true {
        isWhole = false
        offset += 1 + sign
        skipDigits()
      }
    }
    let text = source.text(SourceRange(start: start, end: offset))
    if let byte = peek(), CharacterRules.isWordPart(byte) {
      while let byte = peek(), CharacterRules.isWordPart(byte) { offset += 1 }
      let range = SourceRange(start: start, end: offset)
      return invalid("malformed-number", range, "'\(source.text(range))' is not a number")
    }
    let range = SourceRange(start: start, end: offset)
    if isWhole {
      guard let value = Int(text) else {
        return invalid("number-too-large", range, "the number \(shortened(text)) is too large")
      }
      return .integer(value)
    }
    guard let value = Double(text), value.isFinite else {
      return invalid("number-too-large", range, "the number \(shortened(text)) is too large")
    }
    return .number(value)
  }

  private func shortened(_ text: String) -> String {
    text.utf8.count <= 24 ? text : "\(text.prefix(12))… (\(text.utf8.count) digits)"
  }

  private mutating func skipDigits() {
    while let byte = peek(), CharacterRules.isDigit(byte) { offset += 1 }
  }

  /// A name in quotes: printable ASCII on one line, without escapes.
  private mutating func string() -> Token.Kind {
    let start = offset
    offset += 1
    while let byte = peek(), byte != UInt8(ascii: "\"") {
      guard (0x20..<0x7F).contains(byte) else {
        let range = SourceRange(start: start, end: offset)
        return invalid(
          "malformed-name", range, "a quoted name holds printable ASCII and ends on its line")
      }
      offset += 1
    }
    guard peek() != nil, offset > start + 1 else {
      offset = min(bytes.count, offset + 1)
      let range = SourceRange(start: start, end: offset)
      return invalid("malformed-name", range, "a quoted name is empty or does not end")
    }
    offset += 1
    return .string(source.text(SourceRange(start: start + 1, end: offset - 1)))
  }

  private mutating func unexpected() -> Token.Kind {
    let start = offset
    var end = start + 1
    while end < bytes.count, bytes[end] & 0xC0 == 0x80 { end += 1 }
    let range = SourceRange(start: start, end: end)
    offset = end
    if bytes[start] & 0x80 != 0 { skipWord() }
    guard let scalar = source.text(range).unicodeScalars.first else { return .invalid }
    if CharacterRules.isForbidden(scalar) {
      forbid(scalar, at: start)
      return .invalid
    }
    return invalid(
      "unexpected-character", range,
      "the character '\(scalar)' (\(CharacterRules.name(of: scalar))) has no meaning here",
      hint: scalar == ";" ? "statements end at the end of the line" : nil)
  }

  /// Skips the rest of a word with foreign letters in it, so that it is reported once.
  private mutating func skipWord() {
    while let byte = peek(), byte & 0x80 != 0 || CharacterRules.isWordPart(byte) { offset += 1 }
  }

  private mutating func invalid(
    _ code: String, _ range: SourceRange, _ message: String, hint: String? = nil
  ) -> Token.Kind {
    problems.append(Problem(code, at: range, message, hint: hint))
    return .invalid
  }
}

/// Tells UTF-8 from other bytes.
enum UTF8Check {
  /// The offset of the first byte that is not part of UTF-8 text.
  static func firstInvalid(in bytes: [UInt8]) -> Int? {
    var decoder = Unicode.UTF8.ForwardParser()
    var iterator = bytes.makeIterator()
    var offset = 0
    while true {
      switch decoder.parseScalar(from: &iterator) {
      case .valid(let encoded): offset += encoded.count
      case .error: return min(offset, bytes.count - 1)
      case .emptyInput: return nil
      }
    }
  }
}
