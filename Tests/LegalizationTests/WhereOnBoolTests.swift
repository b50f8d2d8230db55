import GraphIR
import Legalization
import OnnxFile
import Rewrite
import TensorFiles
import Tensors
import TestSupport
import Testing
import TypeInference

@Suite("Where on bool") struct WhereOnBoolTests {
  /// `Where` on operands of three shapes.
  private func graph(
    _ shapes: [[Int]], _ dataType: DataType = .bool
  ) throws -> Graph {
    var graph = Graph(name: "choice", opsets: ["": 20])
    let names: [Name] = ["condition", "a", "b"]
    var operands: [ValueID] = []
    for (index, shape) in shapes.enumerated() {
      operands.append(
        graph.addInput(
          names[index],
          type: .tensor(index == 0 ? .bool : dataType, shape.map { Dimension($0) })))
    }
    graph.addOutput(graph.emit("Where", operands, name: "chosen"))
    _ = try PassPipeline([InferTypes()]).run(on: &graph)
    return graph
  }

  private func feeds(_ shapes: [[Int]], _ bits: [[Bool]]) throws -> [Name: Tensor] {
    [
      "condition": Tensor(bits[0], shape: try Shape(shapes[0])),
      "a": Tensor(bits[1], shape: try Shape(shapes[1])),
      "b": Tensor(bits[2], shape: try Shape(shapes[2])),
    ]
  }

  @Test("And, Or and Not choose as Where does on all eight combinations")
  func truthTable() throws {
    let shapes = [[8], [8], [8]]
    let bits = (0..<3).map { bit in (0..<8).map { $0 >> bit & 1 == 1 } }
    let original = try graph(shapes)
    let (rewritten, report) = try original.applying(WhereOnBool())
    #expect(rewritten.operators == ["And", "Not", "And", "Or"])
    #expect(report.changes.count == 1)
    let results = try [original, rewritten].map {
      try $0.result(try feeds(shapes, bits)).elements(as: Bool.self)
    }
    #expect(results[0] == (0..<8).map { bits[0][$0] ? bits[1][$0] : bits[2][$0] })
    #expect(results[1] == results[0])
  }

  @Test(
    "the same holds where any operand is broadcast, and the new types are true",
    arguments: [
      [[2, 1], [1, 3], [2, 3]], [[3], [2, 3], []], [[2, 1], [1], [3]], [[], [2, 1], [1, 3]],
      [[2, 3], [1], [1, 1]],
    ])
  func broadcasting(shapes: [[Int]]) throws {
    let original = try graph(shapes)
    let (rewritten, _) = try original.applying(WhereOnBool())
    #expect(rewritten.tensorType(of: rewritten.outputs[0])?.concreteShape?.dimensions == [2, 3])
    for seed in 0..<8 {
      let bits = shapes.enumerated().map { index, shape in
        let count = shape.reduce(1, *)
        return (0..<count).map { position -> Bool in
          let mixed = position * 5 + (seed >> index)
          return mixed % 3 == seed % 2
        }
      }
      let expected = try original.result(try feeds(shapes, bits))
      let actual = try rewritten.result(try feeds(shapes, bits))
      #expect(actual.shape == expected.shape)
      #expect(actual.elements(as: Bool.self) == expected.elements(as: Bool.self))
    }
    var inferred = rewritten
    let reports = try PassPipeline([InferTypes()]).run(on: &inferred)
    #expect(reports[0].declined.isEmpty, "what the rule declares contradicts nothing")
  }

  @Test("Where on numbers is not touched", arguments: [DataType.float32, .int64])
  func numbers(dataType: DataType) throws {
    let original = try graph([[2], [2], [2]], dataType)
    let (rewritten, report) = try original.applying(WhereOnBool())
    #expect(rewritten.text() == original.text())
    #expect(report.changes.isEmpty && report.declined.isEmpty)
  }

  @Test("in HunyuanVideo exactly one Where is on bool, and the model computes the same without it")
  func hunyuan() throws {
    var graph = try OnnxModel.read(Fixtures.corpus("hunyuan.onnx")).graph
    _ = try PassPipeline([InferTypes()]).run(on: &graph)
    let before = graph.operatorCounts()
    var rewritten = graph
    let reports = try PassPipeline(RuntimeTarget.onnxruntime.passes).run(on: &rewritten)
    #expect(reports.map(\.changes.count) == [1, 0, 0, 0, 0])
    let after = rewritten.operatorCounts()
    #expect(after["Where", default: 0] == before["Where", default: 0] - 1)
    #expect(after["Or", default: 0] == before["Or", default: 0] + 1)
    let golden = try NPZFile(readingFrom: Fixtures.corpus("hunyuan.npz"))
    var feeds: [Name: Tensor] = [:]
    for input in rewritten.requiredInputs {
      let name = rewritten.name(of: input)
      feeds[name] = try golden.tensor("in/\(name)")
    }
    let output = rewritten.name(of: rewritten.outputs[0])
    let expected = try golden.tensor("out/\(output)").elements(as: Float.self)
    let distances = zip(try rewritten.result(feeds).elements(as: Float.self), expected)
      .map { abs($0 - $1) }
    #expect(distances.count == expected.count)
    #expect(distances.allSatisfy { $0 <= 1e-4 }, "\(distances.max() ?? 0)")
  }

  @Test("each target has its rules, in an order that lets later ones see earlier results")
  func targets() {
    let contrib = ["fused-matmul", "quick-gelu"]
    #expect(
      RuntimeTarget.onnxruntime.passes.map(\.name) == [
        "where-on-bool", "broadcast-attention-mask", "bfloat16-computation", "redundant-cast",
        "missing-kernel",
      ])
    #expect(RuntimeTarget.openvino.passes.map(\.name) == contrib + ["static-sequence"])
    #expect(RuntimeTarget.onnx.passes.map(\.name) == contrib + ["missing-kernel"])
  }
}
