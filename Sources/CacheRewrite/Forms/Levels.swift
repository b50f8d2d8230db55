import GraphIR
import Tensors

/// Where each node of a graph runs when the graph is cut at some of its nodes: in the segment after
/// the last of them that it depends on.
///
/// What depends on constants alone, and shape arithmetic on the graph's own inputs, runs wherever
/// it is read: as inputs of the next graph, shapes would be data.
struct Levels {
  private let graph: Graph
  private let choices: [NodeID: Int]
  /// The segment of each value, 0 for the head.
  ///
  /// Results of choice n stand at n + 1.
  private var segments: [Int]
  private var isRepeated: [Bool]

  /// Operators whose results differ from call to call (ONNX operator set, "non-deterministic").
  private static let random: Set<OpKey> = [
    "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial",
    "Bernoulli", "Dropout",
  ]

  init(_ graph: Graph, choices: [NodeID]) {
    self.graph = graph
    self.choices = Dictionary(
      uniqueKeysWithValues: choices.enumerated().map { ($1, $0) })
    segments = [Int](repeating: 0, count: graph.valueCount)
    isRepeated = [Bool](repeating: false, count: graph.valueCount)
    for value in graph.initializerOrder where !graph.inputs.contains(value) {
      isRepeated[Int(value.index)] = true
    }
    let inputs = Set(graph.inputs)
    for id in graph.order {
      let node = graph[id]
      let uses = node.uses
      let segment =
        self.choices[id].map { $0 + 1 } ?? uses.map { segments[Int($0.index)] }.max() ?? 0
      let isShape = node.op == "Shape" && uses.allSatisfy(inputs.contains)
      let repeats =
        self.choices[id] == nil && !Self.random.contains(node.op)
        && (isShape || uses.allSatisfy { isRepeated[Int($0.index)] })
      for case .some(let output) in node.outputs {
        segments[Int(output.index)] = segment
        isRepeated[Int(output.index)] = repeats
      }
    }
  }

  /// The segment that computes a value; nil for inputs, constants and results of choices.
  func segment(of value: ValueID) -> Int? {
    guard let producer = graph.producer(of: value), choices[producer] == nil else { return nil }
    return segments[Int(value.index)]
  }

  /// A segment, or a choice, as a graph.
  ///
  /// - Returns: the graph, and what it is given by others
  func part(
    named name: Name, outputs: [ValueID], segment: Int? = nil, choice: NodeID? = nil
  ) -> (graph: Graph, given: [ValueID]) {
    var live = Set(outputs)
    var nodes: [NodeID] = []
    var given: Set<ValueID> = []
    let inputs = Set(graph.inputs)
    func isOwn(_ id: NodeID, _ value: ValueID) -> Bool {
      if isRepeated[Int(value.index)] { return true }
      if let choice { return id == choice }
      return choices[id] == nil && segments[Int(value.index)] == segment
    }
    for id in graph.order.reversed() {
      let node = graph[id]
      let results = node.outputs.compactMap { $0 }.filter(live.contains)
      guard let result = results.first else { continue }
      guard isOwn(id, result) else {
        given.formUnion(results)
        continue
      }
      live.formUnion(node.uses)
      nodes.append(id)
    }
    let read = graph.inputs.filter(live.contains)
    let others = given.subtracting(inputs).sorted()
    return (
      graph.part(named: name, nodes: nodes.reversed(), inputs: read + others, outputs: outputs),
      others
    )
  }
}
