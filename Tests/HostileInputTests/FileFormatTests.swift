import Foundation
import GraphIR
import OnnxFile
import Tensors
import TestSupport
import Testing

/// One bad file and the error it must give.
struct HostileCase: CustomTestStringConvertible, Sendable {
  let name: String
  let code: String
  let bytes: [UInt8]

  init(_ name: String, _ code: String, _ bytes: [UInt8]) {
    self.name = name
    self.code = code
    self.bytes = bytes
  }

  init(_ name: String, _ code: String, _ change: (inout WireModel) -> Void) {
    self.init(name, code, WireModel.with(change))
  }

  var testDescription: String { name }
}

private let good = WireModel().bytes

private let files: [HostileCase] = [
  HostileCase("an empty file", "empty-file", []),
  HostileCase("two models joined", "malformed-model", good + good),
  HostileCase("garbage behind the message", "not-onnx", good + Array("garbage".utf8)),
  HostileCase("gzip", "not-onnx", [0x1F, 0x8B, 8, 0, 0, 0]),
  HostileCase("JSON", "not-onnx", Array("{\"graph\": 1}".utf8)),
  HostileCase("safetensors", "not-onnx", [64, 0, 0, 0, 0, 0, 0, 0] + Array("{\"w\":".utf8)),
  HostileCase("text form", "not-onnx", Array("ir_version: 8\n".utf8)),
  HostileCase("only metadata", "not-onnx", Wire { $0.int(1, 8) }.bytes),
  HostileCase("a varint of eleven bytes", "not-onnx", [8] + Array(repeating: 0xFF, count: 11)),
  HostileCase("field number zero", "not-onnx", [0, 1]),
  HostileCase("nested groups", "not-onnx", [UInt8](repeating: 0x7B, count: 150)),
  HostileCase("ten thousand graphs inside each other", "model-limit", nested(10_000)),
  HostileCase("thirty-three graphs inside each other", "model-limit", nested(33)),
  HostileCase(
    "five million empty nodes", "model-limit",
    WireModel.with { model in
      model.extraInGraph.bytes = [UInt8](unsafeUninitializedCapacity: 10_000_000) { buffer, count in
        for i in stride(from: 0, to: 10_000_000, by: 2) { (buffer[i], buffer[i + 1]) = (0x0A, 0) }
        count = 10_000_000
      }
    }),
  HostileCase(
    "a million empty tensors", "model-limit",
    WireModel.with { model in
      model.extraInGraph.bytes = (0..<1_000_000).flatMap { _ in [0x2A, 0] as [UInt8] }
    }),
  HostileCase("twenty megabytes of unknown fields", "model-limit") {
    $0.extra.data(99, [UInt8](repeating: 1, count: 20_000_000))
  },
]

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

private let structures: [HostileCase] = [
  HostileCase("IR version 0", "unsupported-model") { $0.irVersion = 0 },
  HostileCase("no IR version", "unsupported-model") { $0.irVersion = nil },
  HostileCase("IR version 2^60", "unsupported-model") { $0.irVersion = 1 << 60 },
  HostileCase("no operator set", "malformed-model") { $0.opsets = [] },
  HostileCase("an operator set twice", "malformed-model") { $0.opsets += [("ai.onnx", 17)] },
  HostileCase("operator set 2^40", "unsupported-model") { $0.opsets = [("", 1 << 40)] },
  HostileCase("operator set -1", "unsupported-model") { $0.opsets = [("", -1)] },
  HostileCase("an undefined operand", "malformed-model") {
    $0.nodes = [WireModel.node("Identity", ["z"], ["y"])]
  },
  HostileCase("an undefined output", "malformed-model") { $0.outputs = ["z"] },
  HostileCase("an output without name", "malformed-model") { $0.outputs = [""] },
  HostileCase("an input without name", "malformed-model") { $0.inputs += [""] },
  HostileCase("a value computed twice", "malformed-model") { $0.nodes += $0.nodes },
  HostileCase("a result named as an input", "malformed-model") {
    $0.nodes += [WireModel.node("Neg", ["y"], ["x"])]
  },
  HostileCase("an initializer twice", "malformed-model") {
    $0.initializers = [WireModel.tensor(), WireModel.tensor()]
  },
  HostileCase("an initializer without name", "malformed-model") {
    $0.initializers = [WireModel.tensor("")]
  },
  HostileCase("a node without operator", "malformed-model") {
    $0.nodes = [WireModel.node("", ["x"], ["y"])]
  },
  HostileCase("a circle", "cyclic-graph") {
    $0.nodes = [WireModel.node("Neg", ["b"], ["y"]), WireModel.node("Neg", ["y"], ["b"])]
  },
  HostileCase("a node that reads itself", "cyclic-graph") {
    $0.nodes = [WireModel.node("Neg", ["y"], ["y"])]
  },
  HostileCase("a name of 5,000 bytes", "model-limit") {
    $0.inputs += [String(repeating: "n", count: 5000)]
  },
  HostileCase("an attribute twice", "malformed-model") {
    $0.nodes = [
      WireModel.node("Identity", ["x"], ["y"]) { node in
        for _ in 0..<2 {
          node.message(5) {
            $0.text(1, "axis")
            $0.int(3, 1)
            $0.int(20, 2)
          }
        }
      }
    ]
  },
  HostileCase("a reference to a function's attribute", "malformed-model") {
    $0.nodes = [
      WireModel.node("Identity", ["x"], ["y"]) { node in
        node.message(5) {
          $0.text(1, "axis")
          $0.int(20, 2)
          $0.text(21, "outer")
        }
      }
    ]
  },
  HostileCase("300 attributes", "model-limit") {
    $0.nodes = [
      WireModel.node("Identity", ["x"], ["y"]) { node in
        for number in 0..<300 { node.message(5) { $0.text(1, "a\(number)") } }
      }
    ]
  },
  HostileCase("a call that does not fit its function", "malformed-model") {
    $0.extra.message(25) { $0.text(1, "Identity") }
  },
  HostileCase("a name of the graph around a branch", "malformed-model") { $0 = branched("y") },
  HostileCase("a branch that reads what nothing defines", "malformed-model") {
    $0 = branched("inner", reading: "nothing")
  },
]

private func branched(_ result: String, reading operand: String = "x") -> WireModel {
  var model = WireModel()
  model.nodes = [
    WireModel.node("If", ["x"], ["y"]) { node in
      node.message(5) { attribute in
        attribute.text(1, "then_branch")
        attribute.message(6) { graph in
          graph.data(1, WireModel.node("Neg", [operand], [result]))
          graph.data(12, WireModel.value(result))
        }
        attribute.int(20, 5)
      }
    }
  ]
  return model
}

private let tensors: [HostileCase] = [
  hostileTensor("2^32 by 2^32 elements", "malformed-tensor", dims: [1 << 32, 1 << 32]),
  hostileTensor("2^33 by 2^31 elements", "malformed-tensor", dims: [1 << 33, 1 << 31]),
  hostileTensor("2^62 elements of four bytes", "malformed-tensor", dims: [1 << 62]),
  hostileTensor("a negative dimension", "malformed-tensor", dims: [-2]),
  hostileTensor("17 dimensions", "model-limit", dims: Array(repeating: 1, count: 17)),
  hostileTensor("seven bytes of eight", "malformed-tensor", raw: 7),
  hostileTensor("twelve bytes of eight", "malformed-tensor", raw: 12),
  hostileTensor("no bytes at all", "malformed-tensor", raw: nil),
  hostileTensor("element type 0", "malformed-tensor", type: 0),
  hostileTensor("element type 999", "malformed-tensor", type: 999),
  hostileTensor("FLOAT8", "unsupported-model", type: 17, raw: 2),
  hostileTensor("a segment", "unsupported-model") { $0.message(3) { $0.int(1, 0) } },
  hostileTensor("its elements twice", "malformed-tensor") {
    $0.data(4, Array(repeating: 0, count: 8))
  },
  hostileTensor("the field of another type", "malformed-tensor", raw: nil) { $0.data(7, [1, 2]) },
]

private func hostileTensor(
  _ name: String, _ code: String, dims: [Int64] = [2], type: Int64 = 1, raw: Int? = 8,
  _ build: (inout Wire) -> Void = { _ in }
) -> HostileCase {
  let tensor = WireModel.tensor(dims: dims, type: type, raw: raw, build)
  return HostileCase("a tensor with \(name)", code) { $0.initializers = [tensor] }
}

@Suite struct HostileModelTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: files + structures + tensors)
  func badFilesAreRefused(_ bad: HostileCase) throws {
    let path = try folder.write(bad.bytes, to: "bad.onnx")
    let error = #expect(throws: OnnxFileError.self) { try OnnxModel.read(path) }
    #expect(error?.code == bad.code, "\(String(describing: error))")
    #expect(error?.place.hasPrefix(path) ?? false)
  }

  @Test func theModelThatTheCasesStartFromIsGood() throws {
    let model = try OnnxModel.read(folder.write(good, to: "good.onnx"))
    #expect(model.graph.order.count == 1)
    #expect(model.graph.type(of: model.graph.outputs[0]).description == "float32[2]")
  }

  @Test func noTruncationIsAModel() throws {
    for count in 0..<good.count {
      let path = try folder.write(Array(good[..<count]), to: "short.onnx")
      #expect(throws: OnnxFileError.self, "\(count) bytes") { try OnnxModel.read(path) }
    }
  }

  @Test func everySingleChangedByteIsReadOrRefused() throws {
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

  @Test func whatIsNoFileIsRefusedAtOnce() throws {
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

  @Test func threeGibibytesAreRefusedUnread() throws {
    let path = try folder.write(good, to: "large.onnx")
    #expect(truncate(path, 3 << 30) == 0)
    let error = #expect(throws: OnnxFileError.self) { try OnnxModel.read(path) }
    #expect(error?.code == "model-limit")
  }

  @Test func nodesInAnyOrderAreSorted() throws {
    let bytes = WireModel.with {
      $0.nodes = [WireModel.node("Neg", ["b"], ["y"]), WireModel.node("Neg", ["x"], ["b"])]
    }
    let model = try OnnxModel.read(folder.write(bytes, to: "unsorted.onnx"))
    #expect(model.graph.order.map { model.graph[$0].origin?.index } == [1, 0])
    let out = folder.path("out.onnx")
    try model.write(model.graph, to: out)
    let restored = try OnnxModel.read(out).restoreOriginal(to: folder.path("back.onnx"))
    #expect(restored.outcome == .identical)
  }

  @Test func namesAreBytes() throws {
    let composed = "caf\u{E9}"
    let decomposed = "cafe\u{301}"
    var model = WireModel()
    model.inputs = [composed, decomposed]
    model.nodes = [
      Wire { node in
        node.text(1, composed)
        node.text(1, decomposed)
        node.data(2, [0xFF, 0xFE])
        node.text(4, "Add")
      }.bytes,
      Wire { node in
        node.data(1, [0xFF, 0xFE])
        node.data(2, [0xFF, 0xFD])
        node.text(4, "Neg")
      }.bytes,
      Wire { node in
        node.data(1, [0xFF, 0xFD])
        node.text(2, "y")
        node.text(4, "Neg")
      }.bytes,
    ]
    let read = try OnnxModel.read(folder.write(model.bytes, to: "names.onnx"))
    #expect(Set(read.graph[read.graph.order[0]].inputs).count == 2)
    let written = try read.write(to: folder.path("out.onnx"))
    #expect(try folder.bytes("out.onnx") == model.bytes)
    #expect(written.digest == read.fileDigest)
  }

  @Test func attributesOfUnknownKindsSurvive() throws {
    let bytes = WireModel.with {
      $0.nodes = [
        WireModel.node("Identity", ["x"], ["y"]) { node in
          node.message(5) {
            $0.text(1, "strange")
            $0.int(20, 99)
          }
        }
      ]
    }
    let model = try OnnxModel.read(folder.write(bytes, to: "strange.onnx"))
    guard case .opaque? = model.graph[model.graph.order[0]].attribute("strange") else {
      Issue.record("the attribute should be opaque")
      return
    }
    try model.write(to: folder.path("out.onnx"))
    let again = try OnnxModel.read(folder.path("out.onnx"))
    #expect(again.fileByteCount == bytes.count)
  }

  @Test func functionsThatNobodyCallsSurvive() throws {
    let bytes = WireModel.with { $0.extra.message(25) { $0.text(1, "Unused") } }
    let model = try OnnxModel.read(folder.write(bytes, to: "functions.onnx"))
    try model.write(to: folder.path("out.onnx"))
    #expect(try folder.bytes("out.onnx") == bytes)
  }
}
