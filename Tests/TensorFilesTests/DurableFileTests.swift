import Foundation
import Tensors
import TestSupport
import Testing

@Suite struct DurableFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  struct Interruption: Error {}

  @Test func bytesOfAllSizesArriveInOrder() throws {
    let large = [UInt8](repeating: 7, count: 600_000)
    var file = try DurableFile(replacing: folder.path("out"))
    try file.write([1, 2, 3])
    try file.write(large)
    try file.writeZeros(count: 300_000)
    try file.write([4])
    #expect(file.byteCount == 900_004)
    #expect(try folder.names == [])
    try file.commit()
    #expect(try folder.names == ["out"])
    let expected = [1, 2, 3] + large + [UInt8](repeating: 0, count: 300_000) + [4]
    #expect(try folder.bytes("out") == expected)
  }

  @Test func i2_aFileThatIsNotCommittedLeavesNothing() throws {
    let path = try folder.write([9], to: "old")
    #expect(throws: Interruption.self) {
      var file = try DurableFile(replacing: path)
      try file.write([UInt8](repeating: 1, count: 500_000))
      throw Interruption()
    }
    #expect(try folder.names == ["old"])
    #expect(try folder.bytes("old") == [9])
  }

  @Test func whatWasWrittenCanBeReadBackBeforeItGetsItsName() throws {
    var file = try DurableFile(replacing: folder.path("out"))
    try file.write([5, 6, 7])
    #expect(try file.readBack().bytes(at: 1, count: 2) == [6, 7])
    try file.commit()
    #expect(try folder.bytes("out") == [5, 6, 7])
  }

  @Test func i7_theModeOfTheReplacedFileIsKept() throws {
    let path = try folder.write([1], to: "private")
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    let file = try DurableFile(replacing: path)
    try file.commit()
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
    #expect(mode as? Int == 0o600)
  }

  @Test func i1_anInputIsNotReplacedEvenThroughALink() throws {
    let path = try folder.write([1], to: "model")
    let link = folder.path("link")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
    let input = try InputFile(path: path)
    for output in [path, link, folder.path("./model")] {
      let error = #expect(throws: FileError.self) {
        _ = try DurableFile(replacing: output, inputs: [input.identity])
      }
      #expect(error?.kind == .outputIsInput)
    }
    #expect(try folder.names == ["link", "model"])
  }

  @Test func aLinkIsReplacedNotWrittenThrough() throws {
    let path = try folder.write([1], to: "target")
    let link = folder.path("link")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
    var file = try DurableFile(replacing: link)
    try file.write([2])
    try file.commit()
    #expect(try folder.bytes("target") == [1])
    #expect(try folder.bytes("link") == [2])
  }

  @Test func placesWhereNoFileCanBeAreRefused() throws {
    let cases: [(String, FileError.Kind)] = [
      (folder.path("missing/out"), .missingFolder), (folder.path + "/", .invalidPath),
      ("", .invalidPath), (folder.path("a\0b"), .invalidPath), (folder.path("."), .invalidPath),
      (folder.path, .notARegularFile), ("/dev/null", .notARegularFile),
    ]
    for (path, kind) in cases {
      let error = #expect(throws: FileError.self) { _ = try DurableFile(replacing: path) }
      #expect(error?.kind == kind, "\(path)")
    }
    #expect(try folder.names.isEmpty)
  }
}

@Suite struct InputFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func aRangeReadsTheSameMappedOrCopied() throws {
    let bytes = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 * 31) }
    let file = try InputFile(path: try folder.write(bytes, to: "data"))
    for (offset, count) in [(0, 20_000), (5000, 100), (4096, 8192), (19_999, 1), (20_000, 0)] {
      let expected = Array(bytes[offset..<(offset + count)])
      let mapped = try file.map(at: offset, byteCount: count)
      let read = try file.read(at: offset, byteCount: count)
      #expect([UInt8](UnsafeRawBufferPointer(start: mapped.base, count: count)) == expected)
      #expect([UInt8](UnsafeRawBufferPointer(start: read.base, count: count)) == expected)
      #expect(try file.bytes(at: offset, count: count) == expected)
    }
  }

  @Test func rangesOutsideTheFileAreRefused() throws {
    let file = try InputFile(path: try folder.write([1, 2, 3], to: "data"))
    for (offset, count) in [(0, 4), (4, 0), (-1, 1), (1, -1), (1, Int.max), (Int.max, 1)] {
      let read = #expect(throws: FileError.self) { try file.bytes(at: offset, count: count) }
      let mapped = #expect(throws: FileError.self) { try file.map(at: offset, byteCount: count) }
      #expect(read?.kind == .readFailed && mapped == read)
    }
  }

  @Test func a15_aFileThatShrinksGivesAnErrorNotACrash() throws {
    let path = try folder.write([UInt8](repeating: 1, count: 10_000), to: "data")
    let file = try InputFile(path: path)
    #expect(truncate(path, 10) == 0)
    let error = #expect(throws: FileError.self) { try file.bytes(at: 0, count: 10_000) }
    #expect(error?.message == "The file became shorter while it was read.")
  }

  @Test func onlyRegularFilesAreOpenedAndNothingBlocks() throws {
    let pipe = folder.path("pipe")
    #expect(mkfifo(pipe, 0o600) == 0)
    for path in [pipe, folder.path, "/dev/zero"] {
      let error = #expect(throws: FileError.self) { _ = try InputFile(path: path) }
      #expect(error?.kind == .notARegularFile)
    }
    let missing = #expect(throws: FileError.self) { _ = try InputFile(path: folder.path("no")) }
    #expect(missing?.kind == .notFound)
    #expect(missing?.category == .inputOutput)
  }

  @Test func aLinkCanBeRefused() throws {
    let path = try folder.write([1], to: "target")
    let link = folder.path("link")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
    #expect(try InputFile(path: link).byteCount == 1)
    #expect(throws: FileError.self) { _ = try InputFile(path: link, followingLinks: false) }
  }

  @Test func namesAreEscapedForTheTerminal() {
    #expect("a\u{1B}[31m\nb\u{202E}é".escapedForTerminal == "a\\u{1b}[31m\\u{a}b\\u{202e}é")
  }
}
