import Tensors

/// The text header of a .npy array, as
/// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html describes it.
struct NPYHeader: Hashable, Sendable {
  /// NumPy's type string, such as `<f4`.
  var descriptor: String
  /// True when the first axis varies fastest.
  var isFortranOrder: Bool
  /// The dimensions, not checked yet.
  var dimensions: [Int]

  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  private static let alignment = 64
  /// NumPy leaves room for the first dimension to grow to this many digits.
  private static let growthDigitCount = 21

  /// The header up to the first element, byte for byte as NumPy 2 writes it.
  static func bytes(dataType: DataType, shape: Shape, place: String) throws(TensorFileError)
    -> [UInt8]
  {
    let descriptor = try descriptor(of: dataType, place: place)
    let dimensions = shape.dimensions.map(String.init)
    let list = dimensions.count == 1 ? "\(dimensions[0])," : dimensions.joined(separator: ", ")
    var text = "{'descr': '\(descriptor)', 'fortran_order': False, 'shape': (\(list)), }"
    if let first = dimensions.first {
      text += String(repeating: " ", count: max(0, growthDigitCount - first.utf8.count))
    }
    let prefixByteCount = magic.count + 4
    let unpadded = prefixByteCount + text.utf8.count + 1
    text += String(repeating: " ", count: alignment - unpadded % alignment) + "\n"
    var bytes = magic + [1, 0]
    bytes.append(littleEndian: UInt16(text.utf8.count))
    return bytes + Array(text.utf8)
  }

  /// Reads the header of an array and leaves the source at the first element.
  static func read(
    from source: any ByteSource, limits: TensorFileLimits, place: String
  ) throws(TensorFileError) -> NPYHeader {
    let prefix = try source.bytes(magic.count + 2, of: "The header", place: place)
    guard Array(prefix[..<magic.count]) == magic else {
      throw TensorFileError(.malformed, at: place, "The data does not begin as a .npy array does.")
    }
    let version = prefix[magic.count]
    guard (1...3).contains(version), prefix[magic.count + 1] == 0 else {
      throw TensorFileError(
        .unsupported, at: place,
        "The .npy version is \(version).\(prefix[magic.count + 1]); 1.0 to 3.0 can be read.")
    }
    let lengthByteCount = version == 1 ? 2 : 4
    let lengthBytes = try source.bytes(lengthByteCount, of: "The header", place: place)
    let length = version == 1 ? lengthBytes.uint16(at: 0) : lengthBytes.uint32(at: 0)
    guard length <= limits.npyHeaderByteCount else {
      throw TensorFileError(
        .overLimit, at: place,
        "The .npy header has \(length) bytes; the limit is \(limits.npyHeaderByteCount).")
    }
    let text = try source.bytes(length, of: "The header", place: place)
    var parser = NPYHeaderParser(text, place: place)
    return try parser.parse()
  }

  /// The element type, or an error that says what to do about one that cannot be read.
  func dataType(place: String) throws(TensorFileError) -> DataType {
    if let match = NPYHeader.descriptors.first(where: { $0.text == descriptor }) {
      return match.type
    }
    let letter = descriptor.dropFirst().first
    if descriptor == "<b1" || descriptor == "<u1" || descriptor == "<i1" {
      return descriptor == "<b1" ? .bool : descriptor == "<u1" ? .uint8 : .int8
    }
    let (what, hint): (String, String)
    switch (descriptor.first, letter) {
    case (_, "O"): (what, hint) = ("holds Python objects", "Save numbers instead.")
    case (">", _): (what, hint) = ("is big-endian", "Save array.astype(dtype.newbyteorder('<')).")
    case (_, "V") where descriptor.hasSuffix("V2"):
      what = "is opaque, as NumPy saves bfloat16"
      hint = "Save array.astype('float32') instead."
    default: (what, hint) = ("cannot be read", "Save floats, integers or booleans.")
    }
    throw TensorFileError(
      .unsupported, at: place,
      "The element type '\(descriptor.escapedForTerminal)' \(what).", hint: hint)
  }

  private static let descriptors: [(text: String, type: DataType)] = [
    ("<f4", .float32), ("<f8", .float64), ("<f2", .float16), ("|b1", .bool),
    ("|i1", .int8), ("<i2", .int16), ("<i4", .int32), ("<i8", .int64),
    ("|u1", .uint8), ("<u2", .uint16), ("<u4", .uint32), ("<u8", .uint64),
    ("<c8", .complex64), ("<c16", .complex128),
  ]

  private static func descriptor(
    of type: DataType, place: String
  ) throws(TensorFileError) -> String {
    guard let match = descriptors.first(where: { $0.type == type }) else {
      throw TensorFileError(
        .unsupported, at: place, "NumPy has no element type for \(type).",
        hint: type == .bfloat16 ? "Convert it to float32, or write .safetensors." : nil)
    }
    return match.text
  }
}
