/// The sizes beyond which a file is refused rather than read.
public enum Limits {
  /// Streams of hidden states that a tap may count.
  static let streamCount = 16
  /// The most bytes of a file.
  public static let fileByteCount = 1 << 20
  /// The most bytes of a line.
  public static let lineByteCount = 4 << 10
  /// The deepest nesting of brackets of all kinds.
  public static let nesting = 32
  /// The most steps a schedule may have.
  public static let stepCount = 10_000
  /// The largest block index.
  public static let blockIndex = 99_999
  /// The most block-set terms of a file, those that names stand for counted each time.
  public static let termCount = 100_000
  /// The most parts of an expression, those that names stand for counted each time.
  public static let expressionSize = 10_000
  /// The deepest nesting of an expression, what names stand for included.
  public static let expressionDepth = 300
  /// The most operators of one expression as written.
  public static let operatorCount = 200
  /// The most clusters of tokens, and iterations that find them.
  public static let tokenCount = 1024
  /// The deepest nesting of rules that use other rules.
  public static let ruleDepth = 8
  /// The most diagnostics reported for one file.
  public static let diagnosticCount = 100

  /// The codes of the problems that say a limit was passed.
  static let codes: Set<String> = [
    "file-too-large", "line-too-long", "nested-too-deeply", "too-many-terms",
    "expression-too-large",
  ]
}

/// Which characters a file may hold, and where.
enum CharacterRules {
  /// Whether a character is refused everywhere, comments included: control characters, line
  /// separators that editors disagree about, and marks that reorder what a reader sees.
  static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x09, 0x0A, 0x0D: false
    case 0..<0x20, 0x7F..<0xA0: true
    case 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x2069, 0xFEFF, 0xFFF9...0xFFFB: true
    default: false
    }
  }

  static func name(of scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16, uppercase: true)
    return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }

  static func isWordStart(_ byte: UInt8) -> Bool {
    (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F
  }

  static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  static func isWordPart(_ byte: UInt8) -> Bool { isWordStart(byte) || isDigit(byte) }
}
