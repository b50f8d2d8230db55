import Glibc
import GraphIR
import Interpreter
import Operators
import Tensors
import Testing

/// Token selection as Mochi does it: `NonZero` of a mask, `Gather`, attention over what is left,
/// and the result put back where it came from.
@Suite struct DataDependentShapeTests {
  private static let width = 4

  private func graph(tokens: Dimension) -> Graph {
    var graph = Graph(name: "selection", opsets: ["": 20])
    let x = graph.addInput("x", type: .tensor(.float32, [tokens, Dimension(Self.width)]))
    let mask = graph.addInput("mask", type: .tensor(.bool, [tokens]))
    let axis = graph.constant([Int64(0)], shape: .vector(1), name: "axis")
    let places = graph.emit(
      "Squeeze", [graph.emit("NonZero", [mask], name: "positions"), axis], name: "places")
    let kept = graph.emit("Gather", [x, places], [Attribute("axis", .int(0))], name: "kept")
    let shape = graph.emit("Shape", [kept], name: "shape")
    let zeros = graph.emit("ConstantOfShape", [graph.emit("Shape", [x])], name: "zeros")
    let turned = graph.emit("Transpose", [kept], [Attribute("perm", .ints([1, 0]))])
    let scores = graph.emit("Softmax", [graph.emit("MatMul", [kept, turned])], name: "scores")
    let seen = graph.emit(
      "Reshape", [graph.emit("MatMul", [scores, kept]), shape], name: "seen")
    let column = graph.constant([Int64(1)], shape: .vector(1), name: "column")
    let rows = graph.emit("Unsqueeze", [places, column], name: "rows")
    graph.addOutput(graph.emit("ScatterND", [zeros, rows, seen], name: "y"))
    return graph
  }

  /// The same by loops.
  private func expected(_ x: [Float], _ mask: [Bool]) -> [Float] {
    let rows = mask.indices.map { Array(x[($0 * Self.width)..<(($0 + 1) * Self.width)]) }
    let kept = mask.indices.filter { mask[$0] }
    var result = [Float](repeating: 0, count: x.count)
    for query in kept {
      let scores = kept.map { key in zip(rows[query], rows[key]).reduce(0) { $0 + $1.0 * $1.1 } }
      let most = scores.max() ?? 0
      let weights = scores.map { exp(Double($0 - most)) }
      let total = weights.reduce(0, +)
      for column in 0..<Self.width {
        let sum = zip(kept, weights).reduce(0) { $0 + Double(rows[$1.0][column]) * $1.1 }
        result[query * Self.width + column] = Float(sum / total)
      }
    }
    return result
  }

  @Test(
    "the number of tokens may change from call to call",
    arguments: [Dimension(6), Dimension(symbol: "tokens")])
  func changing(tokens: Dimension) throws {
    let engine = try Engine(graph(tokens: tokens))
    let x = (0..<24).map { Float(($0 * 7) % 11) / 5 - 1 }
    let masks: [[Bool]] = [
      [true, true, false, true, false, true], [false, false, false, false, true, false],
      [true, true, true, true, true, true], [false, false, false, false, false, false],
      [true, true, false, true, false, true],
    ]
    for mask in masks {
      let y = try #require(
        try engine.run(["x": Tensor(x, shape: Shape([6, Self.width])), "mask": Tensor(mask)])["y"])
      let due = expected(x, mask)
      #expect(y.shape.dimensions == [6, Self.width])
      #expect(zip(y.elements(as: Float.self), due).allSatisfy { abs($0 - $1) < 1e-6 }, "\(mask)")
    }
  }
}
