/// Reads the module path that `torch.onnx` records for a node.
///
/// The value of `pkg.torch.onnx.name_scopes` is a list of strings as Python prints it, such as
/// `['', 'blocks.0', 'blocks.0.attn1', 'linear_3']`, or the same as JSON.
enum NameScopes {
  /// The metadata key.
  static let key = "pkg.torch.onnx.name_scopes"

  /// The elements; none when the text is not such a list.
  static func parse(_ text: UnsafeBufferPointer<UInt8>) -> [String] {
    guard text.first == UInt8(ascii: "["), text.last == UInt8(ascii: "]") else { return [] }
    var elements: [String] = []
    var element: [UInt8] = []
    var quote: UInt8?
    var isEscaped = false
    for byte in text.dropFirst().dropLast() {
      guard let open = quote else {
        switch byte {
        case UInt8(ascii: "'"), UInt8(ascii: "\""): quote = byte
        case UInt8(ascii: ","), UInt8(ascii: " "): continue
        default: return []
        }
        continue
      }
      if isEscaped {
        element.append(byte)
        isEscaped = false
      } else if byte == UInt8(ascii: "\\") {
        isEscaped = true
      } else if byte == open {
        elements.append(String(decoding: element, as: UTF8.self))
        element.removeAll(keepingCapacity: true)
        quote = nil
      } else {
        element.append(byte)
      }
    }
    return quote == nil ? elements : []
  }
}
