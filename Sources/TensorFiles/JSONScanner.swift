import Tensors

/// Reads the few JSON forms (RFC 8259) a .safetensors header may hold.
///
/// It descends only where its caller says so; nesting in the text costs nothing.
struct JSONScanner {
  private let text: [UInt8]
  private let place: String
  private var position = 0

  init(_ text: [UInt8], place: String) {
    self.text = text
    self.place = place
  }

  /// Enters an object, whose members `nextKey` then reads.
  mutating func beginObject() throws(TensorFileError) {
    try expect("{")
  }

  /// The next key, up to and with its colon; nil at the end of the object.
  mutating func nextKey(isFirst: Bool) throws(TensorFileError) -> String? {
    if consume("}") { return nil }
    if !isFirst { try expect(",") }
    let key = try string()
    try expect(":")
    return key
  }

  /// A list of plain numbers.
  mutating func numbers() throws(TensorFileError) -> [Int] {
    var numbers: [Int] = []
    try expect("[")
    if consume("]") { return numbers }
    while true {
      numbers.append(try number())
      if consume("]") { return numbers }
      try expect(",")
    }
  }

  /// A number without sign, fraction or exponent.
  mutating func number() throws(TensorFileError) -> Int {
    skipSpaces()
    let start = position
    while position < text.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[position]) {
      position += 1
    }
    let digits = String(decoding: text[start..<position], as: UTF8.self)
    guard !digits.isEmpty, digits == "0" || !digits.hasPrefix("0") else {
      throw malformed("lacks a plain number", at: start)
    }
    guard let number = Int(digits) else {
      throw malformed("has a number that does not fit in 64 bits", at: start)
    }
    return number
  }

  /// A string, its escapes resolved.
  mutating func string() throws(TensorFileError) -> String {
    try expect("\"")
    let start = position
    var bytes: [UInt8] = []
    while position < text.count {
      let byte = text[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let string = String(validating: bytes, as: UTF8.self) else {
          throw malformed("has a string that is not UTF-8", at: start)
        }
        return string
      case UInt8(ascii: "\\"): bytes += try escape()
      case 0..<0x20: throw malformed("has a control character in a string", at: position - 1)
      default: bytes.append(byte)
      }
    }
    throw malformed("has a string without an end", at: start)
  }

  /// Only spaces may follow.
  mutating func finish() throws(TensorFileError) {
    skipSpaces()
    guard position == text.count else { throw malformed("goes on after its end", at: position) }
  }

  private mutating func escape() throws(TensorFileError) -> [UInt8] {
    guard position < text.count else { throw malformed("ends in an escape", at: position) }
    let letter = text[position]
    position += 1
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [letter]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"):
      let start = position
      var units = [try codeUnit()]
      if UTF16.isLeadSurrogate(units[0]), text[position...].starts(with: "\\u".utf8) {
        position += 2
        units.append(try codeUnit())
      }
      guard let string = String(validating: units, as: UTF16.self) else {
        throw malformed("has half a surrogate pair", at: start)
      }
      return Array(string.utf8)
    default: throw malformed("has an unknown escape", at: position - 1)
    }
  }

  private mutating func codeUnit() throws(TensorFileError) -> UInt16 {
    let end = position + 4
    guard end <= text.count,
      text[position..<end].allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }),
      let unit = UInt16(String(decoding: text[position..<end], as: UTF8.self), radix: 16)
    else {
      throw malformed("has a damaged escape", at: position)
    }
    position = end
    return unit
  }

  private mutating func consume(_ token: String) -> Bool {
    skipSpaces()
    guard text[position...].starts(with: token.utf8) else { return false }
    position += token.utf8.count
    return true
  }

  private mutating func expect(_ token: String) throws(TensorFileError) {
    guard consume(token) else { throw malformed("lacks '\(token)'", at: position) }
  }

  private mutating func skipSpaces() {
    while position < text.count, [0x20, 0x09, 0x0A, 0x0D].contains(text[position]) { position += 1 }
  }

  private func malformed(_ what: String, at offset: Int) -> TensorFileError {
    TensorFileError(.malformed, at: place, "The JSON header \(what) at byte \(offset).")
  }
}
