import Tensors

/// The header of a .safetensors file: which tensor lies where in the data
/// (https://github.com/huggingface/safetensors#format).
struct SafetensorsHeader {
  /// One tensor and its bytes, counted from the start of the data.
  struct Member {
    var entry: TensorEntry
    var range: Range<Int>
  }

  private(set) var members: [Member] = []
  private(set) var metadata: [(key: String, value: String)] = []

  private static let metadataKey = "__metadata__"

  /// The format's type names; types that `DataType` lacks are not listed.
  private static let dataTypes: [(name: String, type: DataType)] = [
    ("BOOL", .bool), ("U8", .uint8), ("I8", .int8), ("U16", .uint16), ("I16", .int16),
    ("F16", .float16), ("BF16", .bfloat16), ("U32", .uint32), ("I32", .int32), ("F32", .float32),
    ("U64", .uint64), ("I64", .int64), ("F64", .float64), ("C64", .complex64),
  ]

  /// Parses the text and checks that the tensors fill the `dataByteCount` bytes without gaps.
  init(
    parsing text: [UInt8], dataByteCount: Int, limits: TensorFileLimits, place: String
  ) throws(TensorFileError) {
    var scanner = JSONScanner(text, place: place)
    var seen: Set<[UInt8]> = []
    try scanner.beginObject()
    while let key = try scanner.nextKey(isFirst: seen.isEmpty) {
      guard seen.insert(Array(key.utf8)).inserted else {
        throw TensorFileError(
          .duplicateKey, at: place, "The header gives '\(key.escapedForTerminal)' twice.")
      }
      if key == SafetensorsHeader.metadataKey {
        metadata = try SafetensorsHeader.parseMetadata(&scanner, place: place)
        continue
      }
      guard members.count < limits.tensorCount else {
        throw TensorFileError(
          .overLimit, at: place, "The file has more than \(limits.tensorCount) tensors.")
      }
      members.append(
        try SafetensorsHeader.parseMember(
          &scanner, name: key, limits: limits,
          place: "\(place), tensor '\(key.escapedForTerminal)'"))
    }
    try scanner.finish()
    try checkRanges(dataByteCount: dataByteCount, place: place)
  }

  private static func parseMetadata(
    _ scanner: inout JSONScanner, place: String
  ) throws(TensorFileError) -> [(key: String, value: String)] {
    var metadata: [(key: String, value: String)] = []
    var seen: Set<[UInt8]> = []
    try scanner.beginObject()
    while let key = try scanner.nextKey(isFirst: seen.isEmpty) {
      guard seen.insert(Array(key.utf8)).inserted else {
        throw TensorFileError(
          .duplicateKey, at: place, "The metadata give '\(key.escapedForTerminal)' twice.")
      }
      metadata.append((key, try scanner.string()))
    }
    return metadata
  }

  private static func parseMember(
    _ scanner: inout JSONScanner, name: String, limits: TensorFileLimits, place: String
  ) throws(TensorFileError) -> Member {
    var typeName: String?
    var dimensions: [Int]?
    var offsets: [Int]?
    var isFirst = true
    try scanner.beginObject()
    while let key = try scanner.nextKey(isFirst: isFirst) {
      isFirst = false
      switch key {
      case "dtype" where typeName == nil: typeName = try scanner.string()
      case "shape" where dimensions == nil: dimensions = try scanner.numbers()
      case "data_offsets" where offsets == nil: offsets = try scanner.numbers()
      case "dtype", "shape", "data_offsets":
        throw TensorFileError(.duplicateKey, at: place, "The header gives '\(key)' twice.")
      default:
        throw TensorFileError(
          .malformed, at: place, "The header has the unknown key '\(key.escapedForTerminal)'.")
      }
    }
    guard let typeName, let dimensions, let offsets else {
      throw TensorFileError(
        .malformed, at: place, "The header lacks one of 'dtype', 'shape', 'data_offsets'.")
    }
    guard let type = dataTypes.first(where: { $0.name == typeName })?.type else {
      throw TensorFileError(
        .unsupported, at: place,
        "The element type '\(typeName.escapedForTerminal)' cannot be read.",
        hint: "Convert the tensor to float32, float16 or bfloat16.")
    }
    let entry = try TensorEntry(
      name: name, dataType: type, dimensions: dimensions, limits: limits, place: place)
    guard offsets.count == 2, offsets[0] <= offsets[1],
      offsets[1] - offsets[0] == entry.byteCount
    else {
      throw TensorFileError(
        .malformed, at: place,
        "The data offsets \(offsets) do not span the \(entry.byteCount) bytes of "
          + "\(type) \(entry.shape).")
    }
    return Member(entry: entry, range: offsets[0]..<offsets[1])
  }

  /// The reference implementation's rule: no gap, no overlap, nothing after the last tensor.
  private func checkRanges(dataByteCount: Int, place: String) throws(TensorFileError) {
    var end = 0
    let ordered = members.sorted {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }
    for member in ordered {
      guard member.range.lowerBound == end else {
        throw TensorFileError(
          .malformed, at: "\(place), tensor '\(member.entry.name.escapedForTerminal)'",
          "The data begin at byte \(member.range.lowerBound), but the tensor before ends at \(end)."
        )
      }
      end = member.range.upperBound
    }
    guard end == dataByteCount else {
      throw TensorFileError(
        end > dataByteCount ? .truncated : .malformed, at: place,
        "The tensors take \(end) bytes, but \(dataByteCount) follow the header.")
    }
  }

  /// The header of tensors whose data follow in the same order, padded to eight bytes.
  static func bytes(
    _ tensors: [(name: String, tensor: Tensor)], metadata: [(key: String, value: String)],
    place: String
  ) throws(TensorFileError) -> [UInt8] {
    var fields: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.map { "\(quoted($0.key)):\(quoted($0.value))" }
      fields.append("\"\(metadataKey)\":{\(pairs.joined(separator: ","))}")
    }
    var offset = 0
    for (name, tensor) in tensors {
      guard let type = dataTypes.first(where: { $0.type == tensor.dataType })?.name else {
        throw TensorFileError(
          .unsupported, at: "\(place), tensor '\(name.escapedForTerminal)'",
          "The .safetensors format has no element type for \(tensor.dataType).")
      }
      let shape = tensor.shape.dimensions.map(String.init).joined(separator: ",")
      let end = offset + tensor.byteCount
      fields.append(
        "\(quoted(name)):{\"dtype\":\"\(type)\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(offset),\(end)]}")
      offset = end
    }
    var text = Array("{\(fields.joined(separator: ","))}".utf8)
    while text.count % 8 != 0 { text.append(0x20) }
    var bytes: [UInt8] = []
    bytes.append(littleEndian: UInt64(text.count))
    return bytes + text
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case "\u{0}"..<"\u{20}":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
