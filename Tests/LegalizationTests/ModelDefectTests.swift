import GraphIR
import Legalization
import OnnxFile
import Rewrite
import Tensors
import TestSupport
import Testing
import TypeInference

@Suite("Defects of models") struct ModelDefectTests {
  @Test("a domain that is used and not imported is imported")
  func missingImport() throws {
    var graph = Graph(name: "imports", opsets: ["": 20])
    let x = graph.addInput("x", type: .tensor(.float32, [2]))
    graph.addOutput(graph.emit(OpKey("QuickGelu", domain: "com.microsoft"), [x], name: "y"))
    let reports = try PassPipeline([MissingOpsetImport()]).run(on: &graph)
    #expect(graph.opsets == ["": 20, "com.microsoft": 1])
    #expect(
      reports[0].changes.map(\.message) == [
        "imported in version 1: 1 nodes use it, the model did not"
      ])
  }

  @Test("a file that lacks ONNX's own import is warned of, its version cannot be known")
  func missingStandardImport() throws {
    var graph = Graph(name: "imports", opsets: ["com.microsoft": 1])
    let x = graph.addInput("x", type: .tensor(.float32, [2]))
    graph.addOutput(graph.emit("Neg", [x], name: "y"))
    let reports = try PassPipeline([MissingOpsetImport()]).run(on: &graph)
    #expect(reports[0].warnings.count == 1 && graph.opsets[""] == nil)
  }

  /// Sana's linear attention: q·(kᵀv) over q·sum(k), both behind a Relu.
  private func linearAttention(epsilon: Bool) -> Graph {
    var graph = Graph(name: "attention", opsets: ["": 20])
    let x = graph.addInput("x", type: .tensor(.float32, [4, 4]))
    let keys = graph.emit("Relu", [x], name: "keys")
    let weights = graph.addInput("weights", type: .tensor(.float32, [4, 1]))
    var sum = graph.emit("MatMul", [keys, weights], name: "sum")
    if epsilon {
      let small = graph.constant([Float(1e-15)], shape: .scalar, name: "epsilon")
      sum = graph.emit("Add", [sum, small], name: "guarded")
    }
    let column = graph.emit("Unsqueeze", [sum], name: "column")
    graph.addOutput(graph.emit("Div", [x, column], name: "y"))
    return graph
  }

  @Test("a division by a sum of ReLUs is warned of unless something is added to the sum")
  func deletedEpsilon() throws {
    for epsilon in [false, true] {
      var graph = linearAttention(epsilon: epsilon)
      let before = graph.text()
      let reports = try PassPipeline([DeletedEpsilon()]).run(on: &graph)
      #expect(reports[0].warnings.count == (epsilon ? 0 : 1))
      #expect(reports[0].warnings.first?.message.hasPrefix("divides by the sum 'sum'") ?? epsilon)
      #expect(graph.text() == before)
    }
  }

  @Test(
    "norms of real exports have their epsilon",
    arguments: ["wan", "wan_ts17", "hunyuan", "hunyuan_ts17", "ltx", "flux", "dit"])
  func realExports(model: String) throws {
    var graph = try OnnxModel.read(Fixtures.corpus("\(model).onnx")).graph
    _ = try PassPipeline([InferTypes()]).run(on: &graph)
    let reports = try PassPipeline(ModelDefects.passes).run(on: &graph)
    #expect(reports.flatMap(\.warnings).isEmpty && reports.flatMap(\.changes).isEmpty)
  }

  @Test("costs count new nodes, and the bytes of new constants and results")
  func costs() throws {
    var graph = Graph(name: "cost", opsets: ["": 20])
    let x = graph.addInput("x", type: .tensor(.float64, [100]))
    graph.addOutput(graph.emit("Erf", [x], name: "y", type: .tensor(.float64, [100])))
    let reports = try Legalizer.run(RuntimeTarget.onnxruntime.passes, on: &graph)
    let used = reports.filter { !$0.report.changes.isEmpty }
    #expect(used.map(\.rule) == ["missing-kernel"])
    // Two Casts: 100 float32 numbers in, 100 float64 numbers out.
    #expect(used.first?.addedNodes == 2 && used.first?.addedBytes == 400 + 800)
  }
}
