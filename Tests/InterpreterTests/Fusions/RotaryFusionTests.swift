import GraphIR
import Interpreter
import Tensors
import Testing

@Suite struct RotaryFusionTests {
  private let tokens = 6
  private let heads = 3
  private let size = 8

  private func feeds(table: Int) throws -> [Name: Tensor] {
    var noise = Noise()
    return [
      "x": try noise.tensor(1, tokens, heads, size), "c": try noise.tensor(1, tokens, 1, table),
      "s": try noise.tensor(1, tokens, 1, table),
    ]
  }

  private func inputs(_ graph: inout Graph, table: Int) -> (ValueID, ValueID, ValueID) {
    (
      graph.addInput("x", type: .float32(1, .init(tokens), .init(heads), .init(size))),
      graph.addInput("c", type: .float32(1, .init(tokens), 1, .init(table))),
      graph.addInput("s", type: .float32(1, .init(tokens), 1, .init(table)))
    )
  }

  private func part(
    _ graph: inout Graph, _ value: ValueID, _ start: Int, _ end: Int, step: Int = 1
  ) -> ValueID {
    graph.emit(
      "Slice",
      [
        value, graph.integers(start), graph.integers(end), graph.integers(-1),
        graph.integers(step),
      ])
  }

  @Test func stackedPairsAreRotatedWithTheSameBits() throws {
    var graph = Graph(opsets: ["": 20])
    let (x, cosines, sines) = inputs(&graph, table: size)
    let pairs = graph.emit("Reshape", [x, graph.integers(1, tokens, heads, -1, 2)])
    let last = graph.integers(-1)
    let a = graph.emit("Squeeze", [part(&graph, pairs, 0, 1), last])
    let b = graph.emit("Squeeze", [part(&graph, pairs, 1, 2), last])
    let stack = graph.emit(
      "Concat",
      [
        graph.emit("Unsqueeze", [graph.emit("Neg", [b]), last]),
        graph.emit("Unsqueeze", [a, last]),
      ], [Attribute("axis", .int(-1))])
    let rotated = graph.emit("Reshape", [stack, graph.integers(1, tokens, heads, size)])
    graph.addOutput(
      graph.emit(
        "Add", [graph.emit("Mul", [x, cosines]), graph.emit("Mul", [rotated, sines])], name: "y"))
    let result = try FusionHarness(graph, feeds(table: size), tolerance: 0)
    #expect(result.changes == ["fused-rotary: pairs rotated in one pass"])
  }

  @Test(arguments: [false, true])
  func halvesAreRotatedWithTheSameBits(bySplit: Bool) throws {
    var graph = Graph(opsets: ["": 20])
    let (x, cosines, sines) = inputs(&graph, table: size)
    var (a, b) = (x, x)
    if bySplit {
      (a, b) = (graph.makeValue("a"), graph.makeValue("b"))
      graph.append(
        Node(
          "Split", inputs: [x], outputs: [a, b],
          attributes: [Attribute("axis", .int(-1)), Attribute("num_outputs", .int(2))]))
    } else {
      a = part(&graph, x, 0, size / 2)
      b = part(&graph, x, size / 2, Int.max)
    }
    let rotated = graph.emit(
      "Concat", [graph.emit("Neg", [b]), a], [Attribute("axis", .int(-1))])
    graph.addOutput(
      graph.emit(
        "Add", [graph.emit("Mul", [x, cosines]), graph.emit("Mul", [rotated, sines])], name: "y"))
    let result = try FusionHarness(graph, feeds(table: size), tolerance: 0)
    #expect(result.changes == ["fused-rotary: halves rotated in one pass"])
  }

  /// Two assignments to strided slices, as PyTorch's exporter writes them.
  private func scattered(odd: [Int64]) -> Graph {
    var graph = Graph(opsets: ["": 20])
    let (x, cosines, sines) = inputs(&graph, table: size / 2)
    let pairs = graph.emit("Reshape", [x, graph.integers(1, tokens, heads, size / 2, 2)])
    let last = graph.integers(-1)
    let a = graph.emit("Squeeze", [part(&graph, pairs, 0, 1), last])
    let b = graph.emit("Squeeze", [part(&graph, pairs, 1, 2), last])
    func product(_ x: ValueID, _ y: ValueID) -> ValueID { graph.emit("Mul", [x, y]) }
    let even = graph.emit("Sub", [product(a, cosines), product(b, sines)])
    let other = graph.emit("Add", [product(a, sines), product(b, cosines)])
    let empty = graph.emit(
      "Expand", [graph.scalar(0), graph.integers(size, tokens, heads, 1)])
    func places(_ numbers: [Int64]) -> ValueID {
      graph.constant(numbers, shape: (try? Shape([numbers.count, 1])) ?? .scalar)
    }
    let first = graph.emit(
      "ScatterND", [empty, places([0, 2, 4, 6]), graph.permuted(even, 3, 1, 2, 0)])
    let second = graph.emit(
      "ScatterND",
      [graph.emit("Identity", [first]), places(odd), graph.permuted(other, 3, 1, 2, 0)])
    graph.addOutput(
      graph.emit("Transpose", [second], [Attribute("perm", .ints([3, 2, 1, 0]))], name: "y"))
    return graph
  }

  @Test func assignmentsToStridedSlicesAreRotatedWithTheSameBits() throws {
    let result = try FusionHarness(
      scattered(odd: [1, 3, 5, 7]), feeds(table: size / 2), tolerance: 0)
    #expect(result.changes.contains("fused-scattered-rotary: pairs rotated in one pass"))
  }

  @Test func assignmentsThatLeaveGapsAreNotFused() throws {
    let result = try FusionHarness(
      scattered(odd: [1, 3, 5, 1]), feeds(table: size / 2), tolerance: 0)
    #expect(!result.changes.contains { $0.hasPrefix("fused-") })
    #expect(
      result.declined.contains(
        "fused-scattered-rotary: the two assignments do not write all even and all odd positions"))
  }

  /// Two assignments to strided slices, element by element, as the legacy exporter writes them.
  private func scatteredByElements(tokenRange: Range<Int64>) -> Graph {
    var graph = Graph(opsets: ["": 20])
    let (x, cosines, sines) = inputs(&graph, table: size / 2)
    let pairs = graph.emit("Reshape", [x, graph.integers(1, tokens, heads, size / 2, 2)])
    let (first, second) = (graph.makeValue("a"), graph.makeValue("b"))
    graph.append(
      Node(
        "Split", inputs: [pairs], outputs: [first, second],
        attributes: [Attribute("axis", .int(-1)), Attribute("num_outputs", .int(2))]))
    let (a, b) = (
      graph.emit("Squeeze", [first, graph.integers(-1)]),
      graph.emit("Squeeze", [second, graph.integers(-1)])
    )
    func product(_ x: ValueID, _ y: ValueID) -> ValueID { graph.emit("Mul", [x, y]) }
    let even = graph.emit("Sub", [product(a, cosines), product(b, sines)])
    let odd = graph.emit("Add", [product(a, sines), product(b, cosines)])
    let half = graph.integers(1, tokens, heads, size / 2)
    func grid(_ numbers: [Int64], _ dimensions: [Int]) -> ValueID {
      let range = graph.constant(numbers, shape: (try? Shape(dimensions)) ?? .scalar)
      return graph.emit("Unsqueeze", [graph.emit("Expand", [range, half]), graph.integers(-1)])
    }
    func places(_ last: [Int64]) -> ValueID {
      let grids = [
        grid([0], [1, 1, 1, 1]), grid(Array(tokenRange), [tokens, 1, 1]),
        grid(Array(0..<Int64(heads)), [heads, 1]), grid(last, [size / 2]),
      ]
      return graph.emit("Concat", grids, [Attribute("axis", .int(-1))])
    }
    let empty = graph.emit("Expand", [graph.scalar(0), graph.integers(1, tokens, heads, size)])
    let written = graph.emit(
      "ScatterND", [empty, places([0, 2, 4, 6]), graph.emit("Reshape", [even, half])])
    graph.addOutput(
      graph.emit(
        "ScatterND", [written, places([1, 3, 5, 7]), graph.emit("Expand", [odd, half])], name: "y"))
    return graph
  }

  @Test func assignmentsOfElementsAreRotatedWithTheSameBits() throws {
    let graph = scatteredByElements(tokenRange: 0..<Int64(tokens))
    let result = try FusionHarness(graph, feeds(table: size / 2), tolerance: 0)
    #expect(result.changes.contains("fused-scattered-rotary: pairs rotated in one pass"))
    #expect(result.declined.isEmpty)
  }

  @Test func assignmentsOfElementsOfOtherRowsAreNotFused() throws {
    let graph = scatteredByElements(tokenRange: -1..<Int64(tokens - 1))
    let result = try FusionHarness(graph, feeds(table: size / 2), tolerance: 0)
    #expect(!result.changes.contains { $0.hasPrefix("fused-") })
  }
}
