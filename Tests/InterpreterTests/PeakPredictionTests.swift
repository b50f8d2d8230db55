import GraphIR
import Interpreter
import OnnxFile
import TensorFiles
import Tensors
import TestSupport
import Testing

@Suite struct PeakPredictionTests {
  @Test(arguments: ["wan", "hunyuan", "wan_opset23", "dit", "ltx"], [true, false])
  func memoryOfResultsIsWhatWasPredicted(name: String, fuses: Bool) throws {
    let model = try OnnxModel.read(Fixtures.corpus("\(name).onnx"))
    let engine = try Engine(
      model.graph, options: EngineOptions(threads: 1, fusesOperators: fuses))
    let data = try NPZFile(readingFrom: Fixtures.corpus("\(name).npz"))
    var feeds: [Name: Tensor] = [:]
    for port in engine.inputs { feeds[port.name] = try data.tensor("in/\(port.name)") }
    feeds = try engine.converted(feeds)
    let plan = try engine.plan(for: feeds.mapValues(\.shape))
    let predicted = try #require(plan.statistics.predictedPeakByteCount)
    _ = try engine.run(feeds)
    let actual = engine.memory.peakByteCount
    #expect(
      Double(predicted) > 0.7 * Double(actual) && Double(predicted) < 1.3 * Double(actual),
      "\(predicted) predicted, \(actual) used")
  }

  @Test func sizesThatDependOnDataAreNotPredicted() throws {
    var graph = Graph()
    let x = graph.addInput("x", type: .float32(4))
    graph.addOutput(graph.emit("NonZero", [x], name: "y"))
    let plan = try Engine(graph).plan(for: [:])
    #expect(plan.statistics.predictedPeakByteCount == nil)
  }
}
