import TensorFiles
import Tensors
import TestSupport
import Testing

@Suite struct NPZTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// The arrays of `mixed.npz`, in its order.
  static let mixed: [(name: String, tensor: Tensor)] = [
    ("in/hidden_states", Tensor([-1, -0.5, 0, 0.5, 1, 1.5] as [Float], shape: shape(2, 3))),
    (
      "special",
      Tensor([0x7FC0_0123, 0x8000_0000, 0x7F80_0000, 1] as [UInt32]).reinterpreted(as: .float32)
    ),
    ("f8", Tensor([1.0 / 3, -2.5, 1e300])),
    ("f2", Tensor([0x3E00, 0xB400] as [UInt16]).reinterpreted(as: .float16)),
    ("c8", complex(1, 2)),
    ("i1", Tensor([-128, 127] as [Int8])),
    ("i2", Tensor([-32768, 32767] as [Int16])),
    ("i4", Tensor([Int32.min, Int32.max])),
    ("i8", Tensor([Int64.min, Int64.max])),
    ("u1", Tensor([0, 255] as [UInt8])),
    ("u2", Tensor([0, 65535] as [UInt16])),
    ("u4", Tensor([0, UInt32.max])),
    ("u8", Tensor([0, UInt64.max])),
    ("b1", Tensor([true, false, true])),
    ("scalar", Tensor(scalar: Float(7))),
    ("empty", Tensor([] as [Float], shape: shape(0, 4))),
    ("café", Tensor([3] as [Int64])),
  ]

  static func shape(_ dimensions: Int...) -> Shape {
    (try? Shape(dimensions)) ?? .scalar
  }

  static func complex(_ real: Float, _ imaginary: Float) -> Tensor {
    let pair = Tensor([real, imaginary])
    return Tensor(
      dataType: .complex64, shape: .vector(1), strides: [1], offset: 0, storage: pair.storage)
  }

  static func bytes(_ tensor: Tensor) -> [UInt8] {
    let dense = tensor.contiguous()
    return [UInt8](UnsafeRawBufferPointer(start: dense.base, count: dense.byteCount))
  }

  @Test func everyElementTypeNumPyWritesIsReadBitForBit() throws {
    let archive = try NPZFile(readingFrom: Fixtures.path("tensor-files/mixed.npz"))
    #expect(archive.keys == NPZTests.mixed.map(\.name))
    for (name, expected) in NPZTests.mixed {
      let tensor = try archive.tensor(name)
      #expect(tensor.dataType == expected.dataType, "\(name)")
      #expect(tensor.shape == expected.shape, "\(name)")
      #expect(NPZTests.bytes(tensor) == NPZTests.bytes(expected), "\(name)")
      #expect(archive.entry(name)?.shape == expected.shape)
    }
  }

  @Test func aStoredArchiveIsByteForByteWhatNumPyWrites() throws {
    try NPZFile.write(NPZTests.mixed, to: folder.path("mixed.npz"))
    let expected = try Fixtures.bytes("tensor-files/mixed.npz")
    #expect(try folder.bytes("mixed.npz") == expected)
    #expect(try folder.names == ["mixed.npz"])
  }

  @Test func deflatedMembersOfNumPyAreRead() throws {
    let archive = try NPZFile(readingFrom: Fixtures.path("tensor-files/compressed.npz"))
    let zeros = try archive.tensor("zeros").elements(as: Float.self)
    #expect(zeros.count == 90_000 && zeros.allSatisfy { $0 == 0 })
    let ramp = try archive.tensor("ramp").elements(as: Int32.self)
    #expect(ramp == (0..<1000).map { Int32($0 * 7919 % 1009) })
  }

  @Test func membersWhoseSizesFollowThemAreRead() throws {
    let archive = try NPZFile(readingFrom: Fixtures.path("tensor-files/streamed.npz"))
    #expect(try archive.tensor("a").elements(as: Int32.self) == [0, 1, 2, 3])
  }

  @Test func aDeflatedArchiveReadsBack() throws {
    let noise = Tensor((0..<100_000).map { Int32(truncatingIfNeeded: $0 &* 2_654_435_761) })
    let path = folder.path("deflated.npz")
    try NPZFile.write(
      [("noise", noise), ("zeros", Tensor([Float](repeating: 0, count: 200_000)))], to: path,
      compression: .deflated)
    let archive = try NPZFile(readingFrom: path)
    #expect(NPZTests.bytes(try archive.tensor("noise")) == NPZTests.bytes(noise))
    #expect(try archive.tensor("zeros").elements(as: Float.self).allSatisfy { $0 == 0 })
    #expect(try folder.bytes("deflated.npz").count < 450_000)
  }

  @Test func stridedViewsAreWrittenInRowMajorOrder() throws {
    let matrix = Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: NPZTests.shape(2, 3))
    let transposed = matrix.view(shape: NPZTests.shape(3, 2), strides: [1, 3])
    try NPZFile.write([("t", transposed)], to: folder.path("t.npz"))
    let read = try NPZFile(readingFrom: folder.path("t.npz")).tensor("t")
    #expect(read.elements(as: Float.self) == [1, 4, 2, 5, 3, 6])
  }

  @Test func anUnknownKeyNamesTheKeysThatExist() throws {
    let archive = try NPZFile(readingFrom: Fixtures.path("tensor-files/streamed.npz"))
    let error = #expect(throws: TensorFileError.self) { try archive.tensor("b") }
    #expect(error?.kind == .missingTensor)
    #expect(error?.hint == "The archive holds 'a'.")
  }

  @Test func namesThatDifferOnlyInNormalisationAreTwoKeys() throws {
    let path = folder.path("names.npz")
    try NPZFile.write(
      [("caf\u{E9}", Tensor([1] as [Int64])), ("cafe\u{301}", Tensor([2] as [Int64]))], to: path)
    let archive = try NPZFile(readingFrom: path)
    #expect(try archive.tensor("caf\u{E9}").integers() == [1])
    #expect(try archive.tensor("cafe\u{301}").integers() == [2])
  }

  @Test func i2_aFailedWriteLeavesTheOldFileAndNothingElse() throws {
    let path = try folder.write([1, 2, 3], to: "kept.npz")
    let bfloat16 = Tensor([0] as [UInt16]).reinterpreted(as: .bfloat16)
    let error = #expect(throws: TensorFileError.self) {
      try NPZFile.write([("a", Tensor([1] as [Float])), ("b", bfloat16)], to: path)
    }
    #expect(error?.kind == .unsupported)
    let twice = #expect(throws: TensorFileError.self) {
      try NPZFile.write([("a", bfloat16), ("a", bfloat16)], to: path)
    }
    #expect(twice?.kind == .duplicateKey)
    #expect(try folder.bytes("kept.npz") == [1, 2, 3])
    #expect(try folder.names == ["kept.npz"])
  }
}
