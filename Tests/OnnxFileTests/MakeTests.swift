import GraphIR
import OnnxFile
import Tensors
import TestSupport
import Testing

@Suite struct MakeTests {
  /// A graph with every kind of attribute, two levels of captures and a tensor of each type.
  private func everything() throws -> Graph {
    var graph = Graph(name: "everything", opsets: ["": 20, "com.example": 3])
    let x = graph.addInput("x", type: .tensor(.float32, [2, Dimension(parsing: "2*n + 1")]))
    let condition = graph.addInput("condition", type: .tensor(.bool, []))
    graph.addInput("list", type: .sequence(.tensor(.int64, nil)))
    graph.addInput("maybe", type: .optional(.tensor(.float16, [Dimension(3)])))
    let w = graph.constant([1, 2] as [Float], shape: try Shape([2, 1]), name: "w")
    for (number, type) in DataType.allCases.enumerated() where type != .string {
      let tensor = try Tensor(uninitialized: type, Shape([3]))
      for i in 0..<tensor.byteCount {
        tensor.base.storeBytes(
          of: UInt8(truncatingIfNeeded: 1 + i), toByteOffset: i, as: UInt8.self)
      }
      graph.addInitializer(Name("t\(number)"), StoredTensor(tensor))
    }
    var inner = Graph(name: "inner", opsets: graph.opsets)
    let innerX = inner.addCapture("x", type: graph.type(of: x))
    inner.addOutput(inner.emit("Neg", [innerX], name: "w"))
    var middle = Graph(name: "middle", opsets: graph.opsets)
    let middleX = middle.addCapture("x", type: graph.type(of: x))
    let middleW = middle.addCapture("w", type: graph.type(of: w))
    let middleCondition = middle.addCapture("condition", type: graph.type(of: condition))
    let sum = middle.emit("Add", [middleX, middleW])
    let nested = Attribute(
      "then_branch", .graph(Subgraph(graph: inner, captures: [middleX])))
    let other = Attribute(
      "else_branch", .graph(Subgraph(graph: inner, captures: [sum])))
    middle.addOutput(middle.emit("If", [middleCondition], [nested, other], name: "w"))
    let body = Subgraph(graph: middle, captures: [x, w, condition])
    let chosen = graph.emit(
      "If", [condition],
      [Attribute("then_branch", .graph(body)), Attribute("else_branch", .graph(body))])
    graph.addOutput(
      graph.emit(
        OpKey("Odd", domain: "com.example"), [chosen, nil, x],
        [
          Attribute("a", .float(.nan)), Attribute("b", .int(-5)), Attribute("c", .text("é")),
          Attribute("d", .floats([1.5, -0.0])), Attribute("e", .ints([.max, .min])),
          Attribute("f", .strings([[], [0xFF], [65, 0]])),
          Attribute("g", .tensor(StoredTensor(Tensor([7, 8] as [Int64])))),
        ], name: "y"))
    return graph
  }

  @Test func aMadeModelReadsBackAsTheSameGraph() throws {
    let graph = try everything()
    let model = try OnnxModel.make(from: graph, irVersion: 9)
    #expect(model.irVersion == 9)
    #expect(model.opsets == ["": 20, "com.example": 3])
    let read = model.graph
    #expect(
      read.inputs.map { "\(read.name(of: $0)): \(read.type(of: $0))" }
        == graph.inputs.map { "\(graph.name(of: $0)): \(graph.type(of: $0))" })
    for value in graph.initializerOrder {
      let copy = try #require(read.value(named: graph.name(of: value)))
      let original = try #require(graph.initializers[value]).load()
      let loaded = try #require(read.initializers[copy]).load()
      #expect(loaded.dataType == original.dataType)
      #expect(loaded.bytes == original.bytes)
    }
    let odd = read[read.order[1]]
    #expect(odd.op == OpKey("Odd", domain: "com.example"))
    #expect(odd.inputs.count == 3 && odd.inputs[1] == nil)
    guard case .float(let nan)? = odd.attribute("a"), nan.isNaN,
      case .int(-5)? = odd.attribute("b"), case .string(let text)? = odd.attribute("c"),
      case .floats(let floats)? = odd.attribute("d"),
      case .ints([.max, .min])? = odd.attribute("e"),
      case .strings([[], [0xFF], [65, 0]])? = odd.attribute("f"),
      case .tensor(let tensor)? = odd.attribute("g")
    else {
      Issue.record("an attribute changed: \(odd.attributes)")
      return
    }
    #expect(text == Array("é".utf8))
    #expect(floats.map(\.bitPattern) == [Float(1.5), -0.0].map(\.bitPattern))
    #expect(try tensor.load().bytes == Tensor([7, 8] as [Int64]).bytes)
  }

  @Test func capturesBecomeExplicitAtEveryLevel() throws {
    let read = try OnnxModel.make(from: everything()).graph
    let outer = try #require(read[read.order[0]].subgraphs.first)
    #expect(Set(outer.captures.map { read.name(of: $0) }) == ["x", "w", "condition"])
    let branch = try #require(outer.graph.order.last.map { outer.graph[$0] })
    let inner = try #require(branch.subgraphs.first)
    #expect(inner.captures.map { outer.graph.name(of: $0) } == ["x"])
    #expect(inner.graph.order.count == 1)
    try read.verify()
  }

  @Test func aMadeModelWritesAndRestores() throws {
    let folder = try TemporaryFolder()
    let model = try OnnxModel.make(from: everything())
    let written = try model.write(to: folder.path("made.onnx"))
    #expect(written.digest == model.fileDigest)
    let read = try OnnxModel.read(folder.path("made.onnx"))
    #expect(read.producerName == "ditcache")
    var graph = read.graph
    graph.addOutput(graph.emit("Neg", [graph.inputs[0]], name: "z"))
    try read.write(graph, to: folder.path("out.onnx"))
    let restored = try OnnxModel.read(folder.path("out.onnx"))
      .restoreOriginal(to: folder.path("back.onnx"))
    #expect(restored.outcome == .identical)
    #expect(restored.file.digest == written.digest)
  }

  @Test func newNodesNeverShareTheNameOfAnother() throws {
    var graph = Graph()
    var value = graph.addInput("x", type: .tensor(.float32, [2]))
    for _ in 0..<3 {
      let next = graph.makeValue("")
      graph.append(Node("Neg", name: "same", inputs: [value], outputs: [next]))
      value = next
    }
    graph.addOutput(value)
    let read = try OnnxModel.make(from: graph).graph
    #expect(read.order.map { read[$0].name } == ["same", "same_1", "same_2"])
  }

  @Test func aCacheNodeMustBeLoweredFirst() throws {
    var graph = Graph()
    let x = graph.addInput("x", type: .tensor(.bool, []))
    let empty = Subgraph(graph: Graph(), captures: [])
    graph.append(
      Node(
        .cache, inputs: [x], outputs: [],
        cache: CacheNode(
          rule: "r", site: "s", streamCount: 0, body: empty, reuse: empty, slots: [])))
    let error = #expect(throws: OnnxFileError.self) { try OnnxModel.make(from: graph) }
    #expect(error?.category == .internalFault)
  }
}
