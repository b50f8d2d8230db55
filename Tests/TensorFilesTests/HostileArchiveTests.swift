import TensorFiles
import Tensors
import TestSupport
import Testing

/// Case J4 of hostile input, made by changing bytes of a good archive.
@Suite struct HostileArchiveTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A stored archive of the arrays `ab` and `cd`, two floats each.
  func goodArchive(compression: NPZCompression = .stored) throws -> [UInt8] {
    let tensor = Tensor([1, 2] as [Float])
    try NPZFile.write(
      [("ab", tensor), ("cd", tensor)], to: folder.path("good.npz"), compression: compression)
    return try folder.bytes("good.npz")
  }

  /// Opens the archive and reads all of it.
  func readAll(_ bytes: [UInt8]) throws -> [Tensor] {
    let archive = try NPZFile(readingFrom: try folder.write(bytes, to: "hostile.npz"))
    return try archive.keys.map { try archive.tensor($0) }
  }

  func expectRefusal(
    _ bytes: [UInt8], _ kind: TensorFileError.Kind, _ words: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let error = #expect(throws: TensorFileError.self, sourceLocation: sourceLocation) {
      try readAll(bytes)
    }
    #expect(error?.kind == kind, sourceLocation: sourceLocation)
    #expect(
      error?.message.contains(words) == true, "\(String(describing: error))",
      sourceLocation: sourceLocation)
  }

  static func offsets(of pattern: [UInt8], in bytes: [UInt8]) -> [Int] {
    (0...(bytes.count - pattern.count)).filter {
      bytes[$0..<($0 + pattern.count)].elementsEqual(pattern)
    }
  }

  static let central: [UInt8] = [0x50, 0x4B, 1, 2]
  static let local: [UInt8] = [0x50, 0x4B, 3, 4]
  static let end: [UInt8] = [0x50, 0x4B, 5, 6]

  /// The good archive with bytes written at an offset from the n-th place of a pattern.
  func patched(
    _ pattern: [UInt8], _ number: Int = 0, at offset: Int, with bytes: [UInt8],
    compression: NPZCompression = .stored
  ) throws -> [UInt8] {
    var archive = try goodArchive(compression: compression)
    let start = HostileArchiveTests.offsets(of: pattern, in: archive)[number] + offset
    archive.replaceSubrange(start..<(start + bytes.count), with: bytes)
    return archive
  }

  @Test func j4_somethingElseIsNotAnArchive() throws {
    expectRefusal([], .malformed, "not a zip archive")
    expectRefusal([UInt8](repeating: 0, count: 5000), .malformed, "not a zip archive")
    expectRefusal(try goodArchive() + [0], .malformed, "not a zip archive")
  }

  @Test func j4_bytesBeforeTheFirstMemberAreRefused() throws {
    expectRefusal([0] + (try goodArchive()), .malformed, "does not lie where")
  }

  @Test func j4_anEncryptedMemberIsRefused() throws {
    let archive = try patched(HostileArchiveTests.central, at: 8, with: [1, 0])
    expectRefusal(archive, .unsupported, "encrypted")
  }

  @Test func j4_anUnknownCompressionMethodIsNamed() throws {
    let archive = try patched(HostileArchiveTests.central, at: 10, with: [14, 0])
    expectRefusal(archive, .unsupported, "compression method 14")
  }

  @Test func j4_aWrongChecksumIsNoticed() throws {
    expectRefusal(
      try patched(HostileArchiveTests.central, at: 16, with: [0, 0, 0, 0]), .checksumMismatch,
      "checksum")
    var archive = try goodArchive()
    let second = HostileArchiveTests.offsets(of: HostileArchiveTests.local, in: archive)[1]
    archive[second - 1] ^= 1
    expectRefusal(archive, .checksumMismatch, "checksum")
  }

  @Test func j4_aNameGivenTwiceIsRefused() throws {
    var archive = try goodArchive()
    for offset in HostileArchiveTests.offsets(of: Array("cd.npy".utf8), in: archive) {
      archive.replaceSubrange(offset..<(offset + 2), with: "ab".utf8)
    }
    expectRefusal(archive, .duplicateKey, "'ab.npy' twice")
  }

  @Test func j4_aNameThatClimbsIsRefused() throws {
    try NPZFile.write([("../x", Tensor([1] as [Float]))], to: folder.path("climb.npz"))
    expectRefusal(try folder.bytes("climb.npz"), .malformed, "climbs out of the archive")
  }

  @Test func j4_aNestedArchiveIsNotAnArray() throws {
    var archive = try goodArchive()
    for offset in HostileArchiveTests.offsets(of: Array("cd.npy".utf8), in: archive) {
      archive.replaceSubrange(offset..<(offset + 6), with: "cd.zip".utf8)
    }
    expectRefusal(archive, .malformed, "'cd.zip' is not a .npy array")
  }

  @Test func j4_aLocalHeaderThatContradictsTheDirectoryIsRefused() throws {
    expectRefusal(
      try patched(HostileArchiveTests.local, 1, at: 30, with: Array("xy".utf8)), .malformed,
      "contradicts")
    expectRefusal(
      try patched(HostileArchiveTests.local, 1, at: 28, with: [0xFF, 0xFF]), .malformed,
      "contradicts")
  }

  @Test func j4_membersThatShareBytesAreRefused() throws {
    expectRefusal(
      try patched(HostileArchiveTests.central, 1, at: 42, with: [0, 0, 0, 0]), .malformed,
      "runs into what follows it")
  }

  @Test func j4_aSizeThatDeflateCannotReachIsRefusedUnread() throws {
    let archive = try patched(
      HostileArchiveTests.central, at: 24, with: [0, 0, 0, 0x40], compression: .deflated)
    expectRefusal(archive, .malformed, "cannot hold 1073741824 bytes in")
  }

  @Test func j4_compressedDataThatGoOnAreRefused() throws {
    let archive = try patched(
      HostileArchiveTests.central, at: 24, with: [120, 0, 0, 0], compression: .deflated)
    let error = #expect(throws: TensorFileError.self) { try readAll(archive) }
    #expect(error?.kind == .malformed || error?.kind == .truncated)
  }

  @Test func j4_aDirectoryOutsideTheFileIsRefused() throws {
    expectRefusal(
      try patched(HostileArchiveTests.end, at: 16, with: [0, 0, 0, 0x7F]), .malformed,
      "does not lie where")
    expectRefusal(
      try patched(HostileArchiveTests.end, at: 16, with: [0xFF, 0xFF, 0xFF, 0xFF]), .malformed,
      "does not lie where")
    expectRefusal(
      try patched(HostileArchiveTests.end, at: 8, with: [3, 0, 3, 0]), .malformed,
      "damaged at member 2")
  }

  /// The good archive with the records that archives over 2 GiB have before their end.
  func archive64(escapes: Bool) throws -> [UInt8] {
    var archive = try goodArchive()
    let end = try #require(
      HostileArchiveTests.offsets(of: HostileArchiveTests.end, in: archive).last)
    let sizes = Array(archive[(end + 12)..<(end + 20)])
    let wide = [2, 0, 0, 0, 0, 0, 0, 0] as [UInt8]
    let zeros = [0, 0, 0, 0] as [UInt8]
    let record =
      [0x50, 0x4B, 6, 6, 44, 0, 0, 0, 0, 0, 0, 0, 45, 0, 45, 0] + zeros + zeros + wide + wide
      + sizes[..<4] + zeros + sizes[4...] + zeros
    let position = (0..<8).map { UInt8(truncatingIfNeeded: end >> (8 * $0)) }
    let locator = [0x50, 0x4B, 6, 7] + zeros + position + [1, 0, 0, 0]
    if escapes {
      archive.replaceSubrange((end + 8)..<(end + 20), with: [UInt8](repeating: 0xFF, count: 12))
    }
    archive.insert(contentsOf: record + locator, at: end)
    return archive
  }

  @Test(arguments: [true, false])
  func j4_theRecordsOfAnArchiveOverTwoGigabytesAreRead(_ escapes: Bool) throws {
    let archive = try archive64(escapes: escapes)
    let tensors = try readAll(archive)
    #expect(tensors.map { $0.elements(as: Float.self) } == [[1, 2], [1, 2]])
    let record = HostileArchiveTests.offsets(of: [0x50, 0x4B, 6, 6], in: archive)[0]
    for offset in [record, record + 24, record + 31, record + 56 + 8] {
      var damaged = archive
      damaged[offset] ^= 0x80
      expectRefusal(damaged, .malformed, "zip64 record is damaged")
    }
  }

  @Test func j4_anArchiveOverALimitIsRefused() throws {
    var limits = TensorFileLimits()
    limits.tensorCount = 1
    let path = try folder.write(try goodArchive(), to: "hostile.npz")
    let error = #expect(throws: TensorFileError.self) {
      try NPZFile(readingFrom: path, limits: limits)
    }
    #expect(error?.kind == .overLimit)
    limits.tensorCount = 2
    #expect(try NPZFile(readingFrom: path, limits: limits).keys == ["ab", "cd"])
  }

  @Test(arguments: [NPZCompression.stored, .deflated])
  func j4_everyTruncationIsRefused(_ compression: NPZCompression) throws {
    let archive = try goodArchive(compression: compression)
    for count in 0..<archive.count {
      #expect(throws: TensorFileError.self, "\(count) bytes") {
        try readAll(Array(archive[..<count]))
      }
    }
  }

  @Test(arguments: [NPZCompression.stored, .deflated])
  func j4_everyFlippedByteGivesTheSameArraysOrAnError(_ compression: NPZCompression) throws {
    let archive = try goodArchive(compression: compression)
    var refusalCount = 0
    for index in archive.indices {
      for mask: UInt8 in [0x01, 0x80, 0xFF] {
        var flipped = archive
        flipped[index] ^= mask
        do {
          let tensors = try readAll(flipped)
          #expect(tensors.allSatisfy { $0.elements(as: Float.self) == [1, 2] }, "byte \(index)")
        } catch is TensorFileError {
          refusalCount += 1
        }
      }
    }
    #expect(refusalCount > archive.count)
  }
}
