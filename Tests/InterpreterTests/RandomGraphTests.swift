import GraphIR
import Interpreter
import Operators
import TestSupport
import Tensors
import Testing
import TypeInference

/// Random graphs of operators that share, overwrite and join memory, against every node by itself.
@Suite struct RandomGraphTests {
  /// A graph of elementwise operators, views, joins and branches over [3, 4] tensors.
  private static func graph(_ random: inout SplitMix) -> Graph {
    var graph = Graph()
    var values = ["a", "b"].map { graph.addInput(Name($0), type: .float32(3, 4)) }
    for _ in 0..<random.int(4..<24) {
      let x = values[random.int(0..<values.count)]
      let y = values[random.int(0..<values.count)]
      values.append(node(&graph, x, y, &random))
    }
    for position in 0..<random.int(1..<4) {
      let value = values[random.int(0..<values.count)]
      graph.addOutput(graph.emit("Identity", [value], name: Name("out\(position)")))
    }
    return graph
  }

  private static func node(
    _ graph: inout Graph, _ x: ValueID, _ y: ValueID, _ random: inout SplitMix
  ) -> ValueID {
    func reshaped(_ value: ValueID, _ sizes: [Int]) -> ValueID {
      graph.emit(
        "Reshape",
        [value, graph.constant(sizes.map { Int64($0) }, shape: .vector(sizes.count))])
    }
    switch random.int(0..<9) {
    case 0: return graph.emit("Neg", [x])
    case 1: return graph.emit("Sigmoid", [x])
    case 2: return graph.emit("Add", [x, y])
    case 3: return graph.emit("Max", [x, y, x])
    case 4: return graph.emit("Mul", [x, graph.constant([Float(0.5)], shape: .vector(1))])
    case 5:
      let turned = graph.permuted(x, 1, 0)
      return reshaped(graph.emit("Neg", [turned]), [3, 4])
    case 6:
      // Two halves, one of them computed, joined along either axis and cut again.
      let axis = random.int(0..<2)
      let parts = random.chance(2) ? [graph.emit("Neg", [x]), y] : [x, graph.emit("Abs", [y])]
      let joined = graph.emit("Concat", parts, [Attribute("axis", .int(axis))])
      let size = axis == 0 ? 3 : 4
      let first = random.int(0..<size)
      return graph.emit(
        "Slice",
        [joined, graph.integers(first), graph.integers(first + size), graph.integers(axis)])
    case 7:
      // A join of views of results, inside another join.
      let a = reshaped(graph.emit("Sigmoid", [x]), [1, 12])
      let b = reshaped(graph.permuted(graph.emit("Neg", [y]), 1, 0), [1, 12])
      let inner = graph.emit("Concat", [a, b], [Attribute("axis", .int(0))])
      let outer = graph.emit(
        "Concat", [inner, reshaped(x, [1, 12])], [Attribute("axis", .int(0))])
      let picked = graph.emit(
        "Slice", [outer, graph.integers(random.int(0..<3)), graph.integers(9)])
      return reshaped(
        graph.emit(
          "ReduceMax", [picked, graph.integers(0)], [Attribute("keepdims", .int(1))]), [3, 4])
    default:
      let condition = graph.emit(
        "Less",
        [
          graph.emit("ReduceMax", [x], [Attribute("keepdims", .int(0))]), graph.scalar(0.4),
        ])
      return graph.choose(condition, capturing: [x, y]) { graph, captured in
        graph.emit("Add", [graph.emit("Neg", [captured[0]]), captured[1]])
      } otherwise: { graph, captured in
        graph.emit("Sigmoid", [captured[1]])
      }
    }
  }

  @Test(arguments: 0..<400, [false, true])
  func everyOutputIsThatOfTheNodesByThemselves(seed: Int, fuses: Bool) throws {
    var random = SplitMix(seed: UInt64(seed))
    let graph = Self.graph(&random)
    let feeds = try ["a", "b"].map { _ in
      Tensor(
        (0..<12).map { _ in Float.random(in: -1..<1, using: &random) }, shape: try Shape([3, 4]))
    }
    let due = try Self.run(graph, inputs: feeds, captures: [])
    let engine = try Engine(
      graph, options: EngineOptions(threads: 1, checksResultTypes: true, fusesOperators: fuses))
    for _ in 0..<2 {
      let results = try engine.run(["a": feeds[0], "b": feeds[1]])
      for (output, due) in zip(graph.outputs, due) {
        let own = try #require(results[graph.name(of: output)])
        #expect(own.elements(as: Float.self) == due.elements(as: Float.self))
      }
    }
  }

  /// The outputs, every result in memory of its own.
  private static func run(
    _ graph: Graph, inputs: [Tensor], captures: [Tensor?]
  ) throws -> [Tensor] {
    var values: [ValueID: Tensor] = [:]
    for (value, tensor) in zip(graph.inputs, inputs) { values[value] = tensor }
    for (value, tensor) in zip(graph.captures, captures) { values[value] = tensor }
    for (value, tensor) in graph.initializers { values[value] = try tensor.load() }
    for id in graph.order {
      let node = graph[id]
      let results: [Tensor]
      if node.op == "If", let condition = node.inputs[0].flatMap({ values[$0] }) {
        let name = condition.elements(as: Bool.self)[0] ? "then_branch" : "else_branch"
        guard case .graph(let branch)? = node.attribute(name) else { continue }
        results = try run(
          branch.graph, inputs: [], captures: branch.captures.map { values[$0] })
      } else {
        results = try OperatorTable.standard.make(node, in: graph)
          .run(node.inputs.map { $0.flatMap { values[$0] }.map { .tensor($0) } }, HeapRunContext())
          .map { try $0.tensor() }
      }
      for (value, result) in zip(node.outputs, results) {
        if let value { values[value] = result.contiguous() }
      }
    }
    return graph.outputs.compactMap { values[$0] }
  }
}
