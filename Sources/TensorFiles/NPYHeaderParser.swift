import Tensors

/// Reads the one Python dictionary a .npy header may hold; nothing is evaluated.
struct NPYHeaderParser {
  private let text: [UInt8]
  private let place: String
  private var position = 0

  init(_ text: [UInt8], place: String) {
    self.text = text
    self.place = place
  }

  mutating func parse() throws(TensorFileError) -> NPYHeader {
    var descriptor: String?
    var isFortranOrder: Bool?
    var dimensions: [Int]?
    try expect("{")
    while !consume("}") {
      let key = try string()
      try expect(":")
      switch key {
      case "descr" where descriptor == nil: descriptor = try typeString()
      case "fortran_order" where isFortranOrder == nil: isFortranOrder = try boolean()
      case "shape" where dimensions == nil: dimensions = try tuple()
      case "descr", "fortran_order", "shape":
        throw TensorFileError(.duplicateKey, at: place, "The .npy header gives '\(key)' twice.")
      default:
        throw malformed("has the unknown key '\(key.escapedForTerminal)'")
      }
      guard consume(",") || peek() == UInt8(ascii: "}") else {
        throw malformed("lacks a comma at byte \(position)")
      }
    }
    skipSpaces()
    guard position == text.count else { throw malformed("goes on after its dictionary") }
    guard let descriptor, let isFortranOrder, let dimensions else {
      throw malformed("lacks one of 'descr', 'fortran_order', 'shape'")
    }
    return NPYHeader(
      descriptor: descriptor, isFortranOrder: isFortranOrder, dimensions: dimensions)
  }

  private mutating func typeString() throws(TensorFileError) -> String {
    guard peek() != UInt8(ascii: "[") else {
      throw TensorFileError(
        .unsupported, at: place, "The array has a structured element type.",
        hint: "Save each field as an array of its own.")
    }
    return try string()
  }

  private mutating func string() throws(TensorFileError) -> String {
    guard let quote = peek(), quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
      throw malformed("lacks a string at byte \(position)")
    }
    let start = position + 1
    guard let end = text[start...].firstIndex(of: quote) else {
      throw malformed("has a string without an end")
    }
    position = end + 1
    guard !text[start..<end].contains(UInt8(ascii: "\\")),
      let string = String(validating: text[start..<end], as: UTF8.self)
    else {
      throw malformed("has a string that is not plain text")
    }
    return string
  }

  private mutating func boolean() throws(TensorFileError) -> Bool {
    if consume("True") { return true }
    try expect("False")
    return false
  }

  private mutating func tuple() throws(TensorFileError) -> [Int] {
    var numbers: [Int] = []
    try expect("(")
    var isClosed = consume(")")
    while !isClosed {
      numbers.append(try number())
      let hasComma = consume(",")
      isClosed = consume(")")
      guard hasComma || (isClosed && numbers.count > 1) else {
        throw malformed("has a shape that is not a tuple")
      }
    }
    return numbers
  }

  private mutating func number() throws(TensorFileError) -> Int {
    skipSpaces()
    let start = position
    while position < text.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[position]) {
      position += 1
    }
    let digits = String(decoding: text[start..<position], as: UTF8.self)
    guard !digits.isEmpty, digits == "0" || !digits.hasPrefix("0") else {
      throw malformed("has a dimension that is not a plain number")
    }
    guard let number = Int(digits) else {
      throw malformed("has a dimension that does not fit in 64 bits")
    }
    return number
  }

  private mutating func peek() -> UInt8? {
    skipSpaces()
    return position < text.count ? text[position] : nil
  }

  private mutating func consume(_ token: String) -> Bool {
    skipSpaces()
    guard text[position...].starts(with: token.utf8) else { return false }
    position += token.utf8.count
    return true
  }

  private mutating func expect(_ token: String) throws(TensorFileError) {
    guard consume(token) else { throw malformed("lacks '\(token)' at byte \(position)") }
  }

  private mutating func skipSpaces() {
    while position < text.count, text[position] == 0x20 || text[position] == 0x0A { position += 1 }
  }

  private func malformed(_ what: String) -> TensorFileError {
    TensorFileError(.malformed, at: place, "The .npy header \(what).")
  }
}
