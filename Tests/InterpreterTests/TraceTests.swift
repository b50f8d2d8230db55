import Foundation
import GraphIR
import Interpreter
import Operators
import Tensors
import Testing

/// Traces of runs.
@Suite struct TraceTests {
  private static func events() throws -> (TraceSink, [TraceEvent]) {
    var graph = Graph()
    let condition = graph.addInput("condition", type: .tensor(.bool, []))
    let x = graph.addInput("x", type: .float32(2, 3))
    let weight = graph.constant(
      [Float](repeating: 1, count: 12), shape: try Shape([3, 4]), name: "w")
    let product = graph.emit("MatMul", [x, weight], name: "the \"product\"")
    let y = graph.choose(condition, capturing: [product]) { graph, captured in
      graph.emit("Neg", [captured[0]], name: "negated")
    } otherwise: { graph, captured in
      graph.emit("Identity", [captured[0]])
    }
    graph.addOutput(y)
    let sink = TraceSink()
    let x6 = try Tensor.floats([1, 2, 3, 4, 5, 6], 2, 3)
    _ = try Engine(graph).run(["condition": Tensor(scalar: true), "x": x6], trace: sink)
    return (sink, sink.events)
  }

  @Test func everyOperatorThatRanIsRecordedThoseOfBranchesFirst() throws {
    let (_, events) = try Self.events()
    #expect(events.map(\.op) == ["MatMul", "Neg", "If"])
    #expect(events[0].results == ["float32[2, 4]"])
    #expect(events[0].flops == 48)
    #expect(events[2].durationNanoseconds >= events[1].durationNanoseconds)
    #expect(events[1].startNanoseconds >= events[2].startNanoseconds)
  }

  @Test func theChromeTraceIsJSON() throws {
    let (sink, _) = try Self.events()
    let object = try JSONSerialization.jsonObject(with: Data(sink.chromeTrace().utf8))
    let events = try #require((object as? [String: Any])?["traceEvents"] as? [[String: Any]])
    #expect(events.count == 3)
    #expect(events[0]["name"] as? String == "MatMul 'the \"product\"'")
    #expect(events[0]["ph"] as? String == "X")
    #expect((events[0]["dur"] as? Double).map { $0 > 0 } == true)
    #expect((events[0]["args"] as? [String: Any])?["flops"] as? Int == 48)
  }
}
