import TensorFiles
import Tensors
import TestSupport
import Testing

@Suite struct SafetensorsTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  static func file(_ header: String, _ data: [UInt8] = [], headerByteCount: UInt64? = nil)
    -> [UInt8]
  {
    let count = headerByteCount ?? UInt64(header.utf8.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) } + Array(header.utf8) + data
  }

  @Test func tensorsAndMetadataReadBack() throws {
    let path = folder.path("w.safetensors")
    let bits = Tensor([0x3F80, 0xFFC1] as [UInt16]).reinterpreted(as: .bfloat16)
    try SafetensorsFile.write(
      [("half", bits), ("a \"b\"\n", Tensor([1, 2, 3] as [Float])), ("flag", Tensor([true]))],
      metadata: [("format", "pt")], to: path)
    let file = try SafetensorsFile(readingFrom: path)
    #expect(file.keys == ["a \"b\"\n", "half", "flag"])
    #expect(file.metadata.map(\.key) == ["format"] && file.metadata.map(\.value) == ["pt"])
    #expect(file.entry("half")?.dataType == .bfloat16)
    #expect(try file.tensor("a \"b\"\n").elements(as: Float.self) == [1, 2, 3])
    let half = try file.tensor("half").reinterpreted(as: .uint16)
    #expect(half.elements(as: UInt16.self) == [0x3F80, 0xFFC1])
    #expect(try file.tensor("flag").elements(as: Bool.self) == [true])
    #expect(try folder.names == ["w.safetensors"])
  }

  @Test func theWrittenFormIsTheDocumentedOne() throws {
    try SafetensorsFile.write(
      [("b", Tensor([1, 2] as [UInt8])), ("a", Tensor([1] as [UInt16]))],
      to: folder.path("w.safetensors"))
    let header =
      "{\"a\":{\"dtype\":\"U16\",\"shape\":[1],\"data_offsets\":[0,2]},"
      + "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[2,4]}}"
    let padding = String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
    let expected = SafetensorsTests.file(header + padding, [1, 0, 1, 2])
    #expect(try folder.bytes("w.safetensors") == expected)
  }

  @Test func escapesInNamesAreResolved() throws {
    let header = #"{"a\u00e9\ud83d\ude00\/\t":{"dtype":"U8","shape":[],"data_offsets":[0,1]}} "#
    let path = try folder.write(SafetensorsTests.file(header, [9]), to: "e.safetensors")
    let file = try SafetensorsFile(readingFrom: path)
    #expect(file.keys == ["aé😀/\t"])
    #expect(try file.tensor("aé😀/\t").elements(as: UInt8.self) == [9])
  }

  static func one(_ type: String, _ shape: String, _ offsets: String) -> String {
    "{\"a\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":\(offsets)}}"
  }

  static func two(_ first: String, _ second: String, names: (String, String) = ("a", "b"))
    -> String
  {
    "{\"\(names.0)\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":\(first)},"
      + "\"\(names.1)\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":\(second)}}"
  }

  static let four: [UInt8] = [1, 2, 3, 4]

  /// Case J5 of hostile input: the bytes, and how they are refused.
  static let hostile: [(String, [UInt8], TensorFileError.Kind)] = [
    ("empty file", [], .truncated),
    ("length 2⁶⁴ − 1", file("{}", headerByteCount: .max), .malformed),
    ("header over 100 MB", file("{}", headerByteCount: 100_000_001), .malformed),
    ("header past the end", file("{}", headerByteCount: 3), .truncated),
    ("not an object", file("[]"), .malformed),
    ("no end", file("{"), .malformed),
    ("text after the end", file("{}x"), .malformed),
    ("key given twice", file(two("[0,2]", "[2,4]", names: ("a", "a")), four), .duplicateKey),
    (
      "key given twice by an escape", file(two("[0,2]", "[2,4]", names: ("a", "\\u0061")), four),
      .duplicateKey
    ),
    ("overlap", file(two("[0,2]", "[1,3]"), [1, 2, 3]), .malformed),
    ("same bytes twice", file(two("[0,2]", "[0,2]"), [1, 2]), .malformed),
    ("gap", file(two("[0,2]", "[3,5]"), [1, 2, 3, 4, 5]), .malformed),
    ("data too short", file(two("[0,2]", "[2,4]"), [1, 2, 3]), .truncated),
    ("data too long", file(two("[0,2]", "[2,4]"), four + [5]), .malformed),
    ("data without tensors", file("{}", four), .malformed),
    ("size is not that of the shape", file(one("F32", "[2]", "[0,4]"), four), .malformed),
    ("reversed offsets", file(one("U8", "[4]", "[4,0]"), four), .malformed),
    ("three offsets", file(one("U8", "[4]", "[0,4,4]"), four), .malformed),
    ("negative dimension", file(one("U8", "[-4]", "[0,4]"), four), .malformed),
    ("fractional dimension", file(one("U8", "[4.0]", "[0,4]"), four), .malformed),
    ("shape overflows", file(one("U8", "[4294967296,4294967296]", "[0,0]")), .malformed),
    ("petabytes", file(one("U8", "[1125899906842624]", "[0,1125899906842624]")), .overLimit),
    ("sub-byte type", file(one("F4", "[3]", "[0,2]"), [0, 0]), .unsupported),
    ("metadata not text", file("{\"__metadata__\":{\"a\":1}}"), .malformed),
    ("metadata nested", file("{\"__metadata__\":{\"a\":{}}}"), .malformed),
    ("unknown key", file("{\"a\":{\"dtype\":\"U8\",\"x\":1}}"), .malformed),
    ("missing key", file("{\"a\":{\"dtype\":\"U8\"}}"), .malformed),
    ("depth", file("{\"a\":" + String(repeating: "[", count: 100_000)), .malformed),
    ("half a surrogate", file("{\"\\ud800\":1}"), .malformed),
    ("control character", file("{\"\u{1}\":1}"), .malformed),
    ("unknown escape", file("{\"\\x\":1}"), .malformed),
  ]

  @Test(arguments: hostile)
  func j5_aHostileFileIsRefused(
    _ name: String, _ bytes: [UInt8], _ kind: TensorFileError.Kind
  ) throws {
    let path = try folder.write(bytes, to: "hostile.safetensors")
    let error = #expect(throws: TensorFileError.self) { try SafetensorsFile(readingFrom: path) }
    #expect(error?.kind == kind, "\(name): \(String(describing: error))")
  }

  @Test func j5_everyTruncationIsRefusedAndNoFlippedByteCrashes() throws {
    try SafetensorsFile.write(
      [("b", Tensor([1, 2] as [UInt8])), ("a", Tensor([1] as [UInt16]))],
      metadata: [("k", "v")], to: folder.path("good.safetensors"))
    let good = try folder.bytes("good.safetensors")
    for count in 0..<good.count {
      let path = try folder.write(Array(good[..<count]), to: "cut.safetensors")
      #expect(throws: TensorFileError.self, "\(count) bytes") {
        try SafetensorsFile(readingFrom: path)
      }
    }
    for index in good.indices {
      for mask: UInt8 in [0x01, 0x04, 0x80, 0xFF] {
        var flipped = good
        flipped[index] ^= mask
        let path = try folder.write(flipped, to: "flipped.safetensors")
        do {
          let file = try SafetensorsFile(readingFrom: path)
          let byteCount = try file.keys.reduce(0) { try $0 + file.tensor($1).byteCount }
          #expect(byteCount == 4, "byte \(index)")
        } catch is TensorFileError {}
      }
    }
  }
}
