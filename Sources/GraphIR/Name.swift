/// The name of a value or node, compared by its bytes.
///
/// ONNX names are protobuf strings. Swift strings that differ only in Unicode normalisation are
/// equal and invalid UTF-8 collapses to replacement characters; either would wire a graph wrongly.
public struct Name: Hashable, Sendable {
  /// The bytes as the file holds them.
  public let bytes: [UInt8]

  /// A name from raw bytes.
  public init(bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// The UTF-8 bytes of `text`.
  public init(_ text: String) {
    bytes = Array(text.utf8)
  }

  /// True for the name of a value that is absent.
  public var isEmpty: Bool { bytes.isEmpty }

  /// The bytes decoded as UTF-8, with replacement characters where they are not.
  public var text: String { String(decoding: bytes, as: UTF8.self) }
}

extension Name: ExpressibleByStringLiteral {
  /// A name written in source code.
  public init(stringLiteral value: String) {
    self.init(value)
  }
}

extension Name: CustomStringConvertible {
  /// The name, with control bytes and invalid UTF-8 written as `\xNN`, safe for a terminal.
  public var description: String {
    if let text = String(validating: bytes, as: UTF8.self),
      text.unicodeScalars.allSatisfy({ $0.properties.generalCategory.isPrintable })
    {
      return text
    }
    return bytes.map { byte in
      if byte >= 0x20, byte < 0x7F { return String(UnicodeScalar(byte)) }
      let digits = String(byte, radix: 16)
      return "\\x" + (digits.count == 1 ? "0" : "") + digits
    }.joined()
  }
}

extension Unicode.GeneralCategory {
  fileprivate var isPrintable: Bool {
    switch self {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
      .paragraphSeparator:
      false
    default: true
    }
  }
}
