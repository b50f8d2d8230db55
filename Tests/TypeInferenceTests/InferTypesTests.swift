import GraphIR
import Operators
import Rewrite
import Tensors
import Testing
import TypeInference

/// Facts of whole graphs.
@Suite struct InferTypesTests {
  /// y = reshape(x, [rows, -1]) of x: float32[b, s, 4], the rows read out of the shape of x.
  private static func reshaping() -> (graph: Graph, x: ValueID, y: ValueID) {
    var graph = Graph()
    let x = graph.addInput(
      "x", type: .tensor(.float32, [Dimension(symbol: "b"), Dimension(symbol: "s"), 4]))
    let shape = graph.emit("Shape", [x])
    let rows = graph.emit("Gather", [shape, graph.constant([Int64(0)], shape: .vector(1))])
    let rest = graph.constant([Int64(-1)], shape: .vector(1))
    let target = graph.emit("Concat", [rows, rest], [Attribute("axis", .int(0))])
    let y = graph.emit("Reshape", [x, target], name: "y")
    graph.addOutput(y)
    return (graph, x, y)
  }

  @discardableResult
  private static func infer(_ graph: inout Graph, _ pass: InferTypes) throws -> PassReport {
    var report = PassReport(pass: pass.name)
    try pass.run(on: &graph, report: &report)
    try graph.verify()
    return report
  }

  @Test func symbolsFlowThroughShapeArithmetic() throws {
    var (graph, _, y) = Self.reshaping()
    let report = try Self.infer(&graph, InferTypes())
    #expect(graph.type(of: y).description == "float32[b, 4*s]")
    #expect(report.declined.isEmpty)
  }

  @Test func aSymbolCanBeBound() throws {
    var (graph, x, y) = Self.reshaping()
    try Self.infer(&graph, InferTypes(bindings: ["s": 5]))
    #expect(graph.type(of: x).description == "float32[b, 5, 4]")
    #expect(graph.type(of: y).description == "float32[b, 20]")
  }

  @Test func anAxisOfAnInputCanBeBound() throws {
    var (graph, _, y) = Self.reshaping()
    try Self.infer(&graph, InferTypes(bindings: ["x.0": 3]))
    #expect(graph.type(of: y).description == "float32[3, 4*s]")
  }

  @Test func wholeInputsCanBeFixed() throws {
    var (graph, x, y) = Self.reshaping()
    try Self.infer(&graph, InferTypes(inputShapes: [x: try Shape([2, 3, 4])]))
    #expect(graph.type(of: y).description == "float32[2, 12]")
  }

  @Test func anUnknownDimensionIsRefusedWithTheKnownOnes() throws {
    var (graph, _, _) = Self.reshaping()
    let error = #expect(throws: DimensionError.self) {
      try Self.infer(&graph, InferTypes(bindings: ["x.7": 3]))
    }
    #expect(error?.code == "unknown-dimension")
    #expect(error?.hint == "the symbols are b, s; an axis is written input.axis")
  }

  @Test func sizesThatContradictTheModelAreRefused() throws {
    var (graph, x, _) = Self.reshaping()
    let shape = try Shape([2, 3, 5])
    let error = #expect(throws: DimensionError.self) {
      try Self.infer(&graph, InferTypes(inputShapes: [x: shape]))
    }
    #expect(error?.place == "input 'x' axis 2")
    #expect(error?.message == "the size is 5, the model requires 4")
  }

  @Test func aNegativeSizeIsRefused() throws {
    var (graph, _, _) = Self.reshaping()
    #expect(throws: DimensionError.self) {
      try Self.infer(&graph, InferTypes(bindings: ["s": -1]))
    }
  }

  @Test func declaredTypesFillWhatUnknownOperatorsLeaveOpen() throws {
    var graph = Graph()
    let x = graph.addInput("x", type: .tensor(.float32, [2]))
    let a = graph.emit("FancyOperator", [x], name: "a", type: .tensor(.float32, [2, 3]))
    let b = graph.emit("FancyOperator", [a], name: "b")
    let c = graph.emit("Neg", [a], name: "c")
    for output in [b, c] { graph.addOutput(output) }
    let report = try Self.infer(&graph, InferTypes())
    #expect(graph.type(of: b) == .unknown)
    #expect(graph.type(of: c).description == "float32[2, 3]")
    #expect(
      report.declined.map(\.message) == [
        "operator FancyOperator is not implemented (and at 1 more places)"
      ])
  }

  @Test func aContradictionIsARemarkAndTheOperatorIsBelieved() throws {
    var graph = Graph()
    let x = graph.addInput("x", type: .tensor(.float32, [2]))
    let y = graph.emit("Neg", [x], name: "y", type: .tensor(.float32, [3]))
    graph.addOutput(y)
    let report = try Self.infer(&graph, InferTypes())
    #expect(graph.type(of: y).description == "float32[2]")
    #expect(report.declined.map(\.place) == ["value 'y'"])
    #expect(
      report.declined.map(\.message) == [
        "the file declares float32[3], but the operator yields float32[2]"
      ])
  }

  @Test func anOperatorThatRefusesItsOperandsIsARemark() throws {
    var graph = Graph()
    let x = graph.addInput("x", type: .tensor(.float32, [2, 3]))
    let y = graph.emit("MatMul", [x, x], name: "y", type: .tensor(.float32, nil))
    graph.addOutput(y)
    let report = try Self.infer(&graph, InferTypes())
    #expect(graph.type(of: y).description == "float32[?]")
    #expect(report.declined.map(\.place) == ["MatMul 'y'"])
  }

  @Test func shapeArithmeticInFloatsIsEvaluated() throws {
    var graph = Graph()
    let x = graph.addInput("x", type: .tensor(.float32, [7, 2]))
    let shape = graph.emit("Shape", [x], [Attribute("end", .int(1))])
    let number = graph.emit("Cast", [shape], [Attribute("to", .int(1))])
    let half = graph.emit("Div", [number, graph.constant([Float(2)], shape: .vector(1))])
    let floor = graph.emit("Cast", [graph.emit("Floor", [half])], [Attribute("to", .int(7))])
    let y = graph.emit("ConstantOfShape", [floor], name: "y")
    graph.addOutput(y)
    try Self.infer(&graph, InferTypes())
    #expect(graph.type(of: y).description == "float32[3]")
  }

  @Test func largeConstantsAreNotRead() throws {
    struct Untouchable: TensorSource {
      func load() throws -> Tensor {
        Issue.record("a weight was read")
        return Tensor([Float]())
      }
    }
    var graph = Graph()
    let x = graph.addInput("x", type: .tensor(.float32, [1, 300]))
    let shape = try Shape([300, 8])
    let weight = graph.addInitializer(
      "w", StoredTensor(dataType: .float32, shape: shape, source: Untouchable()))
    let y = graph.emit("MatMul", [x, weight], name: "y")
    graph.addOutput(y)
    try Self.infer(&graph, InferTypes())
    #expect(graph.type(of: y).description == "float32[1, 8]")
    #expect(graph[graph.order[0]].flops == 2 * 300 * 8)
  }

  @Test func sizesThatMeetInAnOperatorAreRemembered() throws {
    let (s, t) = (Dimension(symbol: "s"), Dimension(symbol: "t"))
    var graph = Graph()
    let x = graph.addInput("x", type: .tensor(.float32, [2 * s, 4]))
    let y = graph.addInput("y", type: .tensor(.float32, [t, 1]))
    let sum = graph.emit("Add", [x, y], name: "sum")
    graph.addOutput(graph.emit("Mul", [sum, y], name: "product"))
    let assumptions = try InferTypes().assumptions(of: graph)
    #expect(assumptions.map(\.text) == ["2*s = t (Add 'sum')"])
    #expect(try InferTypes(bindings: ["s": 3, "t": 6]).assumptions(of: graph).isEmpty)
  }

  @Test func ofTwoSizesThatMeetTheModelsOwnGoesOn() throws {
    let t = Dimension(symbol: "t")
    var graph = Graph()
    let mask = graph.addInput("mask", type: .tensor(.bool, [t]))
    let y = graph.addInput("y", type: .tensor(.float32, [1, t]))
    let selected = graph.emit(
      "Cast", [graph.emit("NonZero", [mask])],
      [Attribute("to", .int(Int(DataType.float32.rawValue)))])
    let sum = graph.emit("Add", [selected, y], name: "sum")
    graph.addOutput(sum)
    try Self.infer(&graph, InferTypes())
    #expect(graph.type(of: sum).description == "float32[1, t]")
    #expect(try InferTypes().assumptions(of: graph).isEmpty, "one of them depends on data")
  }

  @Test func graphsInsideNodesAreFilledWithWhatTheyCapture() throws {
    var graph = Graph()
    let condition = graph.addInput("condition", type: .tensor(.bool, []))
    let x = graph.addInput("x", type: .tensor(.float32, [Dimension(symbol: "n"), 2]))
    func branch(_ perm: [Int]) -> AttributeValue {
      var inner = Graph()
      let captured = inner.addCapture("x", type: .unknown)
      inner.addOutput(
        inner.emit("Transpose", [captured], [Attribute("perm", .ints(perm))], name: "t"))
      return .graph(Subgraph(graph: inner, captures: [x]))
    }
    let y = graph.emit(
      "If", [condition],
      [Attribute("then_branch", branch([1, 0])), Attribute("else_branch", branch([1, 0]))])
    graph.addOutput(y)
    try Self.infer(&graph, InferTypes())
    #expect(graph.type(of: y).description == "float32[2, n]")
    let inner = try #require(graph[graph.order[0]].subgraphs.first?.graph)
    #expect(inner.captures.map { inner.type(of: $0).description } == ["float32[n, 2]"])
    #expect(inner.outputs.map { inner.type(of: $0).description } == ["float32[2, n]"])
  }

  @Test func cacheNodesAreFilledOnBothSides() throws {
    var graph = Graph()
    let decision = graph.addInput("decision", type: .tensor(.bool, []))
    let x = graph.addInput("x", type: .tensor(.float32, [Dimension(symbol: "n"), 2]))
    func body(_ op: OpKey) -> Subgraph {
      var inner = Graph()
      inner.addOutput(inner.emit(op, [inner.addCapture("x", type: .unknown)]))
      return Subgraph(graph: inner, captures: [x])
    }
    let y = graph.makeValue("y")
    graph.append(
      Node(
        .cache, inputs: [decision], outputs: [y],
        cache: CacheNode(
          rule: "r", site: "blocks.0", streamCount: 1, body: body("Neg"), reuse: body("Identity"),
          slots: [])))
    graph.addOutput(y)
    try Self.infer(&graph, InferTypes())
    #expect(graph.type(of: y).description == "float32[n, 2]")
    for inner in graph[graph.order[0]].subgraphs.map(\.graph) {
      #expect(inner.outputs.map { inner.type(of: $0).description } == ["float32[n, 2]"])
    }
  }

  @Test(.timeLimit(.minutes(1))) func manyNodesTakeTimeInProportion() throws {
    var graph = Graph()
    var value = graph.addInput("x", type: .tensor(.float32, [Dimension(symbol: "n"), 8]))
    for _ in 0..<20_000 { value = graph.emit("Add", [value, value]) }
    graph.addOutput(value)
    try Self.infer(&graph, InferTypes())
    #expect(graph.type(of: value).description == "float32[n, 8]")
  }
}
