import Foundation
import GraphIR
import OnnxFile
import Tensors
import TestSupport
import Testing

private let good = WireModel().bytes

private func repeated(_ pattern: [UInt8], _ count: Int) -> [UInt8] {
  [UInt8](unsafeUninitializedCapacity: pattern.count * count) { buffer, initializedCount in
    for index in buffer.indices { buffer[index] = pattern[index % pattern.count] }
    initializedCount = buffer.count
  }
}

private let files: [HostileCase] = [
  HostileCase("A1 an empty file", "empty-file", []),
  HostileCase("A1 only metadata", "not-onnx", Wire { $0.int(1, 8) }.bytes),
  HostileCase("A4 two models joined", "malformed-model", good + good),
  HostileCase("A4 a second graph", "malformed-model") { $0.extra.data(7, WireModel().graph) },
  HostileCase("A7 ten thousand graphs inside each other", "model-limit", nested(10_000)),
  HostileCase("A7 thirty-four graphs inside each other", "model-limit", nested(34)),
  HostileCase("A7 ten graphs inside each other", "model-limit", nested(10)),
  HostileCase("A8 five million empty nodes", "model-limit") {
    $0.extraInGraph.bytes = repeated([0x0A, 0], 5_000_000)
  },
  HostileCase("A8 five million empty tensors", "model-limit") {
    $0.extraInGraph.bytes = repeated([0x2A, 0], 5_000_000)
  },
  HostileCase("A8 five million empty names in one node", "model-limit") {
    var node = Wire()
    node.bytes = repeated([0x0A, 0], 5_000_000)
    node.text(4, "Concat")
    $0.nodes = [node.bytes]
  },
  HostileCase("A8 five million empty metadata entries", "model-limit") {
    $0.extra.bytes = repeated([0x72, 0], 5_000_000)
  },
  HostileCase("A8 five million empty attributes", "model-limit") {
    var node = Wire()
    node.bytes = repeated([0x2A, 0], 5_000_000)
    node.text(4, "Neg")
    $0.nodes = [node.bytes]
  },
  HostileCase("A9 twenty megabytes of unknown fields", "model-limit") {
    $0.extra.data(99, [UInt8](repeating: 1, count: 20_000_000))
  },
  HostileCase("A9 eight million unknown numbers", "model-limit") {
    $0.extra.bytes = repeated([0x98, 0x06, 1], 8_000_000)
  },
  HostileCase("A10 150 nested groups", "not-onnx", [UInt8](repeating: 0x7B, count: 150)),
  HostileCase("A10 the end of a group that never began", "not-onnx", good + [0x7C]),
  HostileCase("A11 a varint of eleven bytes", "not-onnx", [8] + repeated([0xFF], 11)),
  HostileCase("A11 a negative length", "not-onnx", [0x3A] + repeated([0xFF], 9) + [1]),
  HostileCase("A11 a length past the parent", "not-onnx", [0x3A, 4, 0x0A, 9, 0, 0]),
  HostileCase("A11 field number zero", "not-onnx", [0, 1]),
  HostileCase("A11 wire type 6", "not-onnx", good + [0x0E]),
  HostileCase("A11 wire type 7", "not-onnx", good + [0x0F]),
  HostileCase("A11 a tag of five bytes", "not-onnx", repeated([0xFF], 9) + [1, 0]),
  HostileCase("A12 garbage behind the message", "not-onnx", good + Array("garbage".utf8)),
  HostileCase("A13 gzip", "not-onnx", [0x1F, 0x8B, 8, 0, 0, 0]),
  HostileCase("A13 zip", "not-onnx", Array("PK\u{3}\u{4}0123456789".utf8)),
  HostileCase("A13 PNG", "not-onnx", [0x89] + Array("PNG\r\n\u{1A}\n".utf8)),
  HostileCase("A13 JSON", "not-onnx", Array("{\"graph\": 1}".utf8)),
  HostileCase("A13 GGUF", "not-onnx", Array("GGUF\u{3}\0\0\0".utf8)),
  HostileCase("A13 a pickle", "not-onnx", [0x80, 4, 0x95, 0, 0]),
  HostileCase("A13 safetensors", "not-onnx", [64, 0, 0, 0, 0, 0, 0, 0] + Array("{\"w\":".utf8)),
  HostileCase("A13 text form", "not-onnx", Array("ir_version: 8\n".utf8)),
  HostileCase("A16 a packed field of forty million numbers", "malformed-tensor") {
    $0.initializers = [WireModel.tensor(raw: nil) { $0.data(7, repeated([1], 40_000_000)) }]
  },
]

/// A model of `depth` graphs, each in a branch of the one before.
private func nested(_ depth: Int) -> [UInt8] {
  var graph = Wire { $0.text(2, "inner") }.bytes
  for _ in 1..<depth {
    let body = graph
    graph =
      Wire { outer in
        outer.data(
          1,
          WireModel.node("If", [], []) { node in
            node.message(5) {
              $0.text(1, "then_branch")
              $0.data(6, body)
              $0.int(20, 5)
            }
          })
      }.bytes
  }
  let main = graph
  return Wire {
    $0.int(1, 8)
    $0.data(7, main)
    $0.message(8) { $0.int(2, 17) }
  }.bytes
}

/// Part A of the list: files and their wire format.
@Suite struct FileFormatTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: files)
  func badFilesAreRefused(_ bad: HostileCase) throws {
    try folder.expectRefusal(of: bad.bytes, bad.code)
  }

  @Test func theModelThatTheCasesStartFromIsGood() throws {
    let model = try folder.read(good)
    #expect(model.graph.order.count == 1)
    #expect(model.graph.type(of: model.graph.outputs[0]).description == "float32[2]")
  }

  @Test func a2_noTruncationIsAModel() throws {
    for count in 0..<good.count {
      let path = try folder.write(Array(good[..<count]), to: "short.onnx")
      #expect(throws: OnnxFileError.self, "\(count) bytes") { try OnnxModel.read(path) }
    }
  }

  @Test func a3_everySingleChangedByteIsReadOrRefused() throws {
    let original = WireModel.with { $0.initializers = [WireModel.tensor()] }
    var accepted = 0
    for index in original.indices {
      for change in [0x01, 0x80, 0xFF] as [UInt8] {
        var bytes = original
        bytes[index] ^= change
        let path = try folder.write(bytes, to: "changed.onnx")
        do {
          try OnnxModel.read(path).graph.verify()
          accepted += 1
        } catch is OnnxFileError {
          continue
        }
      }
    }
    #expect(accepted < original.count * 3)
  }

  @Test func a4_theSecondGraphIsNamed() throws {
    let error = try folder.expectRefusal(of: good + good, "malformed-model")
    #expect(error?.message.contains("twice") == true)
  }

  @Test func a5_threeGibibytesAreRefusedUnread() throws {
    let path = try folder.write(good, to: "large.onnx")
    #expect(truncate(path, 3 << 30) == 0)
    let error = #expect(throws: OnnxFileError.self) { try OnnxModel.read(path) }
    #expect(error?.code == "model-limit")
    try folder.expectFailure(5, "inspect", path, peakByteCount: 64 << 20)
  }

  @Test func a6_fourGiBFileWithValidPrefixIsRejectedUnread() throws {
    let path = try folder.write(good, to: "prefix.onnx")
    #expect(truncate(path, (4 << 30) + off_t(good.count)) == 0)
    try folder.expectFailure(5, "inspect", path, peakByteCount: 64 << 20)
  }

  @Test func a7_eightBranchesInsideEachOtherAreWithinTheLimit() throws {
    try folder.expectRefusal(of: nested(9), "malformed-model")
  }

  @Test(arguments: [UInt8(0x0A), 0x2A])
  func a8_aHundredfoldBombIsRefusedBeforeItTakesMemory(_ field: UInt8) throws {
    let bytes = WireModel.with { $0.extraInGraph.bytes = repeated([field, 0], 5_000_000) }
    let path = try folder.write(bytes, to: "bomb.onnx")
    try folder.expectFailure(5, "inspect", path, peakByteCount: 64 << 20)
  }

  @Test func a9_fifteenMegabytesOfUnknownFieldsAreWrittenBack() throws {
    let bytes = WireModel.with {
      $0.extra.data(99, [UInt8](repeating: 1, count: 8_000_000))
      $0.extraInGraph.data(98, [UInt8](repeating: 2, count: 7_000_000))
    }
    try folder.read(bytes).write(to: folder.path("out.onnx"))
    let written = try folder.bytes("out.onnx")
    #expect(written.count == bytes.count)
    #expect(try folder.read(written).graph.order.count == 1)
  }

  @Test func a11_theByteThatIsWrongIsNamed() throws {
    let error = try folder.expectRefusal(of: good + [0x0F], "not-onnx")
    #expect(error?.message.contains("byte \(good.count) of \(good.count + 1)") == true)
  }

  @Test func a13_theErrorSaysWhatTheFileLooksLike() throws {
    let error = try folder.expectRefusal(of: Array("GGUF\u{3}\0\0\0".utf8), "not-onnx")
    #expect(error?.message.contains("GGUF") == true)
  }

  @Test func a14_whatIsNoFileIsRefusedAtOnce() throws {
    let fifo = folder.path("fifo")
    #expect(mkfifo(fifo, 0o600) == 0)
    for path in [folder.path, fifo, "/dev/zero"] {
      let error = #expect(throws: OnnxFileError.self) { try OnnxModel.read(path) }
      #expect(error?.code == "not-a-regular-file")
      #expect(error?.category == .inputOutput)
    }
    let error = #expect(throws: OnnxFileError.self) { try OnnxModel.read(folder.path("none")) }
    #expect(error?.code == "file-not-found")
  }

  @Test(arguments: ["/proc/self/mem", "/proc/self/maps", "/dev/null", "/dev/stdin"])
  func a14_filesOfTheSystemEndTheCommandAtOnce(_ path: String) throws {
    let command = try Command(["inspect", path], in: folder, redirections: "</dev/null")
    #expect([2, 6].contains(command.status), "\(command)")
  }

  @Test func a14_aFileWithoutPermissionIsAnInputError() throws {
    let path = try folder.write(good, to: "secret.onnx")
    #expect(chmod(path, 0) == 0)
    let command = try Command(
      ["inspect", path], in: folder, prelude: geteuid() == 0 ? "chmod 755 ." : "true")
    // Root reads everything.
    #expect(command.status == (geteuid() == 0 ? 0 : 6), "\(command)")
  }

  @Test func a15_aFileThatShrinksWhileItIsReadIsAnError() throws {
    let path = try folder.write([UInt8](repeating: 1, count: 1 << 20), to: "model.onnx")
    let file = try InputFile(path: path)
    #expect(truncate(path, 10) == 0)
    let error = #expect(throws: FileError.self) { try file.bytes(at: 0, count: 1 << 20) }
    #expect(error?.kind == .readFailed)
  }

  @Test func a16_unpackedNumbersAreReadLikePackedOnes() throws {
    let packed = WireModel.tensor(dims: [3], type: 7, raw: nil) { $0.data(7, [1, 2, 3]) }
    let unpacked = WireModel.tensor(dims: [3], type: 7, raw: nil) { tensor in
      for number in 1...3 { tensor.int(7, Int64(number)) }
    }
    for bytes in [packed, unpacked] {
      let model = try folder.read(WireModel.with { $0.initializers = [bytes] })
      let value = try #require(model.graph.initializerOrder.first)
      let tensor = try #require(model.graph.initializers[value]).load()
      #expect(tensor.elements(as: Int64.self) == [1, 2, 3])
    }
  }
}
