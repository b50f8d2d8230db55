import GraphIR
import Operators
import Tensors
import Testing

@Suite struct LoopTests {
  /// total' = total + step, and total' as a stacked result; runs on while total' < 10.
  private func body() -> Graph {
    var body = Graph()
    body.addInput("trip", type: .tensor(.int64, []))
    body.addInput("running", type: .tensor(.bool, []))
    let total = body.addInput("total", type: .tensor(.float32, [1]))
    let sum = body.emit("Add", [total, body.constant([3] as [Float], shape: .vector(1))])
    let limit = body.constant([10] as [Float], shape: .vector(1))
    let isBelow = body.emit("Less", [sum, limit])
    let axes = body.constant([0] as [Int64], shape: .vector(1))
    body.addOutput(body.emit("Squeeze", [isBelow, axes]))
    body.addOutput(sum)
    body.addOutput(body.emit("Identity", [sum], type: .tensor(.float32, [1])))
    return body
  }

  private func run(_ trips: Int64?, _ start: Float = 0, isRunning: Bool = true) throws -> [Tensor] {
    try OperatorHarness.run(
      "Loop",
      [trips.map { Tensor(scalar: $0) }, Tensor(scalar: isRunning), Tensor([start])],
      [Attribute("body", .graph(Subgraph(graph: body(), captures: [])))], outputCount: 2,
      symbolic: false)
  }

  @Test func aLoopEndsAtItsTripCountOrItsCondition() throws {
    let counted = try run(2)
    expectClose(counted[0], [6], shape: [1])
    expectClose(counted[1], [3, 6], shape: [2, 1])
    let conditional = try run(nil)
    expectClose(conditional[0], [12], shape: [1])
    expectClose(conditional[1], [3, 6, 9, 12], shape: [4, 1])
  }

  @Test func aLoopThatNeverStartsYieldsNothingOfTheDeclaredType() throws {
    for results in [try run(0, 5), try run(4, 5, isRunning: false)] {
      expectClose(results[0], [5], shape: [1])
      #expect(results[1].shape.dimensions == [0, 1] && results[1].dataType == .float32)
    }
  }

  @Test func aCarriedValueMayGrow() throws {
    var body = Graph()
    body.addInput("trip", type: .tensor(.int64, []))
    let running = body.addInput("running", type: .tensor(.bool, []))
    let list = body.addInput("list", type: .tensor(.float32, nil))
    body.addOutput(body.emit("Identity", [running]))
    body.addOutput(body.emit("Concat", [list, list], [Attribute("axis", .int(0))]))
    let attributes = [Attribute("body", .graph(Subgraph(graph: body, captures: [])))]
    let operands = [Tensor(scalar: Int64(3)), Tensor(scalar: true), Tensor([1] as [Float])]
    let result = try OperatorHarness.run("Loop", operands, attributes, symbolic: false)[0]
    #expect(result.shape.dimensions == [8])
  }
}
