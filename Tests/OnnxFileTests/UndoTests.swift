import GraphIR
import OnnxFile
import Tensors
import TestSupport
import Testing

@Suite("Writing and restoring")
struct UndoTests {
  @Test("an unchanged graph writes the same bytes", arguments: exports)
  func unchangedGraphWritesTheSameBytes(_ name: String) throws {
    let folder = try TemporaryFolder()
    let model = try Exports.read(name, copiedTo: folder)
    let written = try model.write(to: "\(folder.path)/out.onnx")
    #expect(written.digest == model.fileDigest)
    #expect(written.byteCount == model.fileByteCount)
  }

  @Test("nodes moved into a branch come back byte for byte", arguments: exports)
  func movedNodesComeBack(_ name: String) throws {
    let folder = try TemporaryFolder()
    let model = try Exports.read(name, copiedTo: folder)
    var graph = model.graph
    let condition = graph.addInput("ditcache/condition", type: .tensor(.bool, []))
    try graph.moveIntoBranch(10..<20, condition: condition)
    try graph.moveIntoBranch(30..<400, condition: condition)
    try graph.verify()
    let path = "\(folder.path)/out.onnx"
    try model.write(graph, metadata: [("ditcache/schedule", "schedule x\n")], to: path)

    let rewritten = try OnnxModel.read(path)
    #expect(rewritten.metadata("ditcache/schedule") == "schedule x\n")
    let counts = rewritten.graph.operatorCounts()
    #expect(counts["If"] == 2)
    #expect(rewritten.graph.order.count == model.graph.order.count - 380 + 2)
    let record = try #require(rewritten.metadata("ditcache/undo"))
    #expect(record.utf8.count < 50_000)

    let restored = try rewritten.restoreOriginal(to: "\(folder.path)/back.onnx")
    #expect(restored.outcome == .identical)
    #expect(restored.file.digest == model.fileDigest)
  }

  @Test("removed, changed and replaced pieces come back byte for byte")
  func changedPiecesComeBack() throws {
    let folder = try TemporaryFolder()
    let model = try Exports.read("hunyuan", copiedTo: folder)
    var graph = model.graph
    graph.opsets["com.example"] = 1
    graph.opsets[""] = 21
    let first = graph.order[5]
    var node = graph[first]
    node.attributes.append(Attribute("example", .ints([1, 2, 3])))
    graph.replace(first, with: node)
    let weight = graph.initializerOrder[3]
    let shape = try #require(graph.initializers[weight]?.shape)
    graph.setInitializer(
      StoredTensor(Tensor([Float](repeating: 2, count: shape.elementCount), shape: shape)),
      of: weight)
    let output = graph.outputs[0]
    let identity = graph.emit("Identity", [output], name: "again", type: graph.type(of: output))
    graph.setOutput(0, to: identity)
    let path = "\(folder.path)/out.onnx"
    try model.write(graph, to: path)
    let rewritten = try OnnxModel.read(path)
    #expect(rewritten.opsets == ["": 21, "com.example": 1])
    #expect(rewritten.graph.name(of: rewritten.graph.outputs[0]) == "again")
    let value = try #require(rewritten.graph.value(named: graph.name(of: weight)))
    let loaded = try #require(rewritten.graph.initializers[value]).load()
    #expect(loaded.pointer(as: Float.self)[0] == 2)
    let restored = try rewritten.restoreOriginal(to: "\(folder.path)/back.onnx")
    #expect(restored.outcome == .identical)
  }

  @Test("the output must lie beside the weights, or the weights are copied")
  func outputsStayBesideTheirWeights() throws {
    let folder = try TemporaryFolder()
    let other = try TemporaryFolder()
    let model = try Exports.read("wan_ext", copiedTo: folder)
    var graph = model.graph
    let condition = graph.addInput("ditcache/condition", type: .tensor(.bool, []))
    try graph.moveIntoBranch(10..<20, condition: condition)
    let path = "\(other.path)/out.onnx"
    let error = #expect(throws: OnnxFileError.self) { try model.write(graph, to: path) }
    #expect(error?.code == "output-away-from-weights")
    #expect(error?.category == .usage)
    #expect(try other.names == [])

    var options = OnnxWriteOptions()
    options.copiesWeights = true
    try model.write(graph, to: path, options: options)
    let copy = try #require(try other.names.last)
    #expect(try other.names == ["out.onnx", copy])
    #expect(copy.hasPrefix("out.onnx.") && copy.hasSuffix(".data"))
    #expect(try other.bytes(copy) == folder.bytes("wan_ext.onnx.data"))
    let moved = try OnnxModel.read(path)
    try moved.requireWeights()
    let name = model.graph.name(of: model.graph.initializerOrder[0])
    let value = try #require(moved.graph.value(named: name))
    let a = try #require(moved.graph.initializers[value]).load()
    let b = try #require(model.graph.initializers[model.graph.initializerOrder[0]]).load()
    #expect(a.bytes == b.bytes)
    #expect(try moved.restoreOriginal(to: "\(other.path)/back.onnx").outcome == .equivalent)
    let back = try OnnxModel.read("\(other.path)/back.onnx")
    try back.requireWeights()
  }

  @Test("an output never replaces what is read, and failures leave nothing behind")
  func outputsNeverReplaceInputs() throws {
    let folder = try TemporaryFolder()
    let model = try Exports.read("wan_ext", copiedTo: folder)
    let before = try folder.names
    for name in ["wan_ext.onnx", "wan_ext.onnx.data"] {
      let error = #expect(throws: OnnxFileError.self) {
        try model.write(model.graph, to: "\(folder.path)/\(name)")
      }
      #expect(error?.code == "output-is-input")
    }
    #expect(throws: OnnxFileError.self) {
      try model.write(model.graph, to: "\(folder.path)/missing/out.onnx")
    }
    #expect(try folder.names == before)
  }

  @Test("a rewritten model is not rewritten again")
  func rewrittenModelsAreRefused() throws {
    let folder = try TemporaryFolder()
    let model = try Exports.read("wan", copiedTo: folder)
    try model.write(model.graph, to: "\(folder.path)/out.onnx")
    let rewritten = try OnnxModel.read("\(folder.path)/out.onnx")
    #expect(rewritten.isRewritten)
    let error = #expect(throws: OnnxFileError.self) {
      try rewritten.write(rewritten.graph, to: "\(folder.path)/again.onnx")
    }
    #expect(error?.code == "already-rewritten")
    let error2 = #expect(throws: OnnxFileError.self) {
      try model.restoreOriginal(to: "\(folder.path)/back.onnx")
    }
    #expect(error2?.code == "undo-record")
  }
}
