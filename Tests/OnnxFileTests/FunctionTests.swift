import GraphIR
import OnnxFile
import TestSupport
import Testing

/// Functions of a model, inlined while it is read.
@Suite struct FunctionTests {
  @Test func aCallBecomesTheNodesOfItsFunction() throws {
    let graph = try read(Self.twice).graph
    #expect(graph.order.map { graph[$0].op } == ["Neg", "Abs", "Neg", "Abs"])
    #expect(graph.order.allSatisfy { graph[$0].origin == nil })
    let outputs = graph.order.compactMap { graph[$0].outputs[0].map { graph.name(of: $0) } }
    #expect(outputs.last == "y" && Set(outputs).count == 4)
  }

  @Test func anUntouchedModelKeepsItsFunctions() throws {
    let folder = try TemporaryFolder()
    let model = try OnnxModel.read(folder.write(Self.twice, to: "in.onnx"))
    try model.write(to: folder.path("out.onnx"))
    #expect(try folder.bytes("out.onnx") == Self.twice)
  }

  @Test func anEditedModelIsRestoredByteForByte() throws {
    let folder = try TemporaryFolder()
    let model = try OnnxModel.read(folder.write(Self.twice, to: "in.onnx"))
    var graph = model.graph
    graph.setOutput(0, to: graph.emit("Sigmoid", [graph.outputs[0]], name: "z"))
    try model.write(graph, to: folder.path("edited.onnx"))
    let edited = try OnnxModel.read(folder.path("edited.onnx"))
    #expect(edited.graph.order.count == 5)
    try edited.restoreOriginal(to: folder.path("back.onnx"))
    #expect(try folder.bytes("back.onnx") == Self.twice)
  }

  @Test func b12FunctionsThatCallThemselvesAreRefused() throws {
    let itself = Self.model([Self.function("F", calls: ["F"])])
    #expect(try refusal(itself)?.message.contains("function cycle") == true)
    let circle = Self.model([
      Self.function("F", calls: ["G"]), Self.function("G", calls: ["F"]),
    ])
    #expect(try refusal(circle)?.kind == .malformedModel)
    let branch = Wire { graph in
      graph.data(1, WireModel.node("F", ["x"], ["inner"], domain: "local"))
      graph.message(12) { $0.text(1, "inner") }
    }
    let through = Wire { function in
      function.text(1, "F")
      function.text(4, "x")
      function.text(5, "y")
      function.data(
        7,
        WireModel.node("If", ["x"], ["y"]) { node in
          for name in ["then_branch", "else_branch"] {
            node.message(5) {
              $0.text(1, name)
              $0.data(6, branch.bytes)
              $0.int(20, 5)
            }
          }
        })
      function.text(10, "local")
    }
    #expect(try refusal(Self.model([through.bytes]))?.message.contains("cycle") == true)
  }

  @Test func b13FunctionsThatDoubleAreCountedBeforeTheyAreInlined() throws {
    let levels = (0..<60).map {
      Self.function("F\($0 == 0 ? "" : "\($0)")", calls: ["F\($0 + 1)", "F\($0 + 1)"])
    }
    let bytes = Self.model(levels + [Self.function("F60", calls: [])])
    let clock = ContinuousClock()
    var error: OnnxFileError?
    let time = try clock.measure { error = try refusal(bytes) }
    #expect(error?.kind == .overLimit)
    #expect(time < .seconds(5))
  }

  @Test func b13ManyFunctionsAndDeepCallsAreHandled() throws {
    let many = Self.model(
      [Self.function("F", calls: [])] + (0..<100_000).map { Self.function("U\($0)", calls: []) })
    #expect(try refusal(many) == nil)
    let deep = (0...101).map {
      Self.function("F\($0 == 0 ? "" : "\($0)")", calls: $0 == 101 ? [] : ["F\($0 + 1)"])
    }
    #expect(try refusal(Self.model(deep))?.kind == .overLimit)
  }

  @Test func aFunctionOfAnotherOperatorSetIsRefused() throws {
    let other = Self.function("F", calls: [], opset: 13)
    #expect(try refusal(Self.model([other]))?.kind == .unsupported)
  }

  /// A call of F, which calls G twice; G is two nodes.
  private static let twice = model([
    function("F", calls: ["G", "G"]), function("G", calls: ["Neg", "Abs"], domain: ""),
  ])

  private static func model(_ functions: [[UInt8]]) -> [UInt8] {
    WireModel.with { model in
      model.nodes = [WireModel.node("F", ["x"], ["y"], domain: "local")]
      model.opsets = [("", 17), ("local", 1)]
      for function in functions { model.extra.data(25, function) }
    }
  }

  /// A function that applies others, or operators, one after another; Identity when there are none.
  private static func function(
    _ name: String, calls: [String], domain: String = "local", opset: Int64 = 17
  ) -> [UInt8] {
    Wire { function in
      function.text(1, name)
      function.text(4, "x")
      function.text(5, "y")
      let steps = calls.isEmpty ? [("Identity", "")] : calls.map { ($0, domain) }
      for (position, step) in steps.enumerated() {
        function.data(
          7,
          WireModel.node(
            step.0, [position == 0 ? "x" : "t\(position)"],
            [position == steps.count - 1 ? "y" : "t\(position + 1)"], domain: step.1))
      }
      for (domain, version) in [("", opset), ("local", 1)] {
        function.message(9) {
          if !domain.isEmpty { $0.text(1, domain) }
          $0.int(2, version)
        }
      }
      function.text(10, "local")
    }.bytes
  }

  private func read(_ bytes: [UInt8]) throws -> OnnxModel {
    let folder = try TemporaryFolder()
    return try OnnxModel.read(folder.write(bytes, to: "model.onnx"))
  }

  private func refusal(_ bytes: [UInt8]) throws -> OnnxFileError? {
    let folder = try TemporaryFolder()
    let path = try folder.write(bytes, to: "model.onnx")
    do throws(OnnxFileError) {
      _ = try OnnxModel.read(path)
      return nil
    } catch {
      return error
    }
  }
}
