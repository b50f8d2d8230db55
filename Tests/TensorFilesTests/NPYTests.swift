import TensorFiles
import Tensors
import TestSupport
import Testing

@Suite struct NPYTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func j1_anArrayInFortranOrderIsPutIntoRowMajorOrder() throws {
    let tensor = try NPY.read(from: Fixtures.path("tensor-files/fortran.npy"))
    #expect(tensor.shape.dimensions == [2, 3, 4])
    #expect(tensor.isContiguous)
    #expect(tensor.elements(as: Float.self) == (0..<24).map(Float.init))
  }

  @Test(arguments: [
    ("big-endian.npy", "is big-endian"), ("bfloat16.npy", "as NumPy saves bfloat16"),
    ("object.npy", "holds Python objects"), ("structured.npy", "a structured element type"),
    ("text.npy", "The element type '<U2' cannot be read."),
  ])
  func elementTypesThatCannotBeReadAreNamed(_ name: String, _ words: String) throws {
    let error = #expect(throws: TensorFileError.self) {
      try NPY.read(from: Fixtures.path("tensor-files/\(name)"))
    }
    #expect(error?.kind == .unsupported)
    #expect(error?.message.contains(words) == true, "\(String(describing: error))")
    #expect(error?.hint != nil)
  }

  @Test func j6_anArrayReadsBackBitForBit() throws {
    let bits: [UInt32] = [0x7FC0_0123, 0x8000_0000, 0x7F80_0000, 1]
    let path = folder.path("a.npy")
    try NPY.write(Tensor(bits).reinterpreted(as: .float32), to: path)
    let tensor = try NPY.read(from: path)
    #expect(tensor.dataType == .float32)
    #expect(tensor.reinterpreted(as: .uint32).elements(as: UInt32.self) == bits)
  }

  @Test func theWrittenFormIsTheDocumentedOne() throws {
    try NPY.write(Tensor([1, 2] as [UInt8]), to: folder.path("a.npy"))
    let text = "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }"
    let padding = String(repeating: " ", count: 0x76 - text.utf8.count - 1) + "\n"
    let expected = [0x93] + Array("NUMPY\u{1}\u{0}\u{76}\u{0}\(text)\(padding)".utf8) + [1, 2]
    #expect(try folder.bytes("a.npy") == expected)
  }

  /// A .npy file, version 1.0, with this header text before these bytes.
  static func file(_ header: String, _ data: [UInt8] = []) -> [UInt8] {
    file(Array(header.utf8), data)
  }

  static func file(_ text: [UInt8], _ data: [UInt8] = []) -> [UInt8] {
    [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.count & 0xFF), UInt8(text.count >> 8)]
      + text + data
  }

  static func header(_ descriptor: String, _ shape: String) -> String {
    "{'descr': '\(descriptor)', 'fortran_order': False, 'shape': \(shape)}"
  }

  @Test func headersOfOtherWritersAreAccepted() throws {
    let header = "{\"shape\":(2,1),\n \"fortran_order\":True, \"descr\":\"<u1\"} \n"
    let path = try folder.write(NPYTests.file(header, [7, 8]), to: "a.npy")
    let tensor = try NPY.read(from: path)
    #expect(tensor.shape.dimensions == [2, 1])
    #expect(tensor.elements(as: UInt8.self) == [7, 8])
  }

  @Test func bytesOfBooleansOtherThanZeroAndOneAreTrue() throws {
    let bytes = NPYTests.file(NPYTests.header("|b1", "(3,)"), [0, 2, 255])
    let tensor = try NPY.read(from: try folder.write(bytes, to: "b.npy"))
    #expect(tensor.elements(as: Bool.self) == [false, true, true])
    #expect(tensor.reinterpreted(as: .uint8).elements(as: UInt8.self) == [0, 1, 1])
  }

  @Test func aTensorWithoutElementsKeepsItsShape() throws {
    let bytes = NPYTests.file(NPYTests.header("<f4", "(0, 3)"))
    let tensor = try NPY.read(from: try folder.write(bytes, to: "e.npy"))
    #expect(tensor.shape.dimensions == [0, 3])
  }

  /// Cases J1 to J3 of hostile input: the bytes, and how they are refused.
  static let hostile: [(String, [UInt8], TensorFileError.Kind)] = [
    ("empty file", [], .truncated),
    ("another format", Array("PK\u{3}\u{4}01234567890".utf8), .malformed),
    ("version 4", [0x93] + Array("NUMPY\u{4}\u{0}\u{0}\u{0}\u{0}\u{0}".utf8), .unsupported),
    ("header past the end", Array(file(header("<f4", "(1,)"))[..<40]), .truncated),
    (
      "4 GiB header", [0x93] + Array("NUMPY\u{2}\u{0}".utf8) + [0xFF, 0xFF, 0xFF, 0xFF],
      .overLimit
    ),
    ("expression", file("__import__('os').system('true')"), .malformed),
    (
      "expression as a shape", file(header("<f4", "(2*3,)"), .init(repeating: 0, count: 24)),
      .malformed
    ),
    (
      "shape without parentheses", file(header("<f4", "3"), .init(repeating: 0, count: 12)),
      .malformed
    ),
    (
      "parenthesised number", file(header("<f4", "(3)"), .init(repeating: 0, count: 12)), .malformed
    ),
    ("negative dimension", file(header("<f4", "(-1,)")), .malformed),
    ("signed dimension", file(header("<f4", "(+1,)"), [0, 0, 0, 0]), .malformed),
    ("leading zero", file(header("<f4", "(01,)"), [0, 0, 0, 0]), .malformed),
    ("dimension over 64 bits", file(header("<f4", "(99999999999999999999,)")), .malformed),
    ("product wraps to zero", file(header("<f4", "(4294967296, 4294967296)")), .malformed),
    ("product in bytes overflows", file(header("<f8", "(2305843009213693952,)")), .malformed),
    ("zero hides an overflow", file(header("<f4", "(0, 4611686018427387904, 4)")), .malformed),
    ("terabytes", file(header("<f4", "(1099511627776,)")), .overLimit),
    (
      "17 dimensions",
      file(header("<f4", "(\(String(repeating: "1, ", count: 17)))"), [0, 0, 0, 0]), .overLimit
    ),
    ("data too short", file(header("<f4", "(2,)"), [0, 0, 0, 0]), .truncated),
    ("data too long", file(header("<f4", "(1,)"), [0, 0, 0, 0, 0]), .malformed),
    (
      "key given twice",
      file("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': ()}"),
      .duplicateKey
    ),
    ("unknown key", file("{'descr': '<f4', 'eval': 'x'}"), .malformed),
    ("missing key", file("{'descr': '<f4', 'shape': ()}", [0, 0, 0, 0]), .malformed),
    ("text after the dictionary", file(header("<f4", "()") + " ; x", [0, 0, 0, 0]), .malformed),
    ("string without an end", file("{'descr: <f4}"), .malformed),
    ("not UTF-8", file(Array("{'descr': '".utf8) + [0xFF, 0xFE] + Array("'}".utf8)), .malformed),
    ("escape sequence in the type", file(header("<\u{1B}[31m", "()"), [0]), .unsupported),
  ]

  @Test(arguments: hostile)
  func j1_j2_j3_aHostileArrayIsRefused(
    _ name: String, _ bytes: [UInt8], _ kind: TensorFileError.Kind
  ) throws {
    let path = try folder.write(bytes, to: "hostile.npy")
    let error = #expect(throws: TensorFileError.self) { try NPY.read(from: path) }
    #expect(error?.kind == kind, "\(name): \(String(describing: error))")
    #expect(error?.description.unicodeScalars.contains("\u{1B}") == false)
  }
}
