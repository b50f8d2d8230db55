import GraphIR
import Operators
import Synchronization
import Tensors
import Testing

/// Runs single nodes through `OperatorTable.standard`, checking on the way that typing tells the
/// truth.
enum OperatorHarness {
  /// Runs a node and returns its results, which must all be tensors.
  ///
  /// Before that the node is typed three times: with constants, with types only, and with every
  /// size above 1 replaced by a symbol (`n4` for 4). Whatever typing claims must agree with what
  /// running yields.
  static func run(
    _ op: OpKey, _ inputs: [Tensor?], _ attributes: [Attribute] = [], opset: Int = 20,
    outputCount: Int = 1, symbolic: Bool = true
  ) throws -> [Tensor] {
    try runValues(
      op, inputs.map { $0.map { RuntimeValue.tensor($0) } }, attributes, opset: opset,
      outputCount: outputCount, symbolic: symbolic
    ).map { try $0.tensor() }
  }

  /// As `run`, for operands and results that may be sequences or absent.
  static func runValues(
    _ op: OpKey, _ inputs: [RuntimeValue?], _ attributes: [Attribute] = [], opset: Int = 20,
    outputCount: Int = 1, symbolic: Bool = true
  ) throws -> [RuntimeValue] {
    let graph = makeGraph(
      op, inputs.map { $0 != nil }, attributes, opset: opset, outputCount: outputCount)
    let node = graph[graph.order[0]]
    let made = try OperatorTable.standard.make(node, in: graph)
    let results = try made.run(inputs, GraphRunner(graph: graph, node: node))
    #expect(results.count >= outputCount, "\(op) returned too few results")
    var detail: [FactDetail] = [.constants, .types]
    if symbolic { detail.append(.symbols) }
    for detail in detail {
      let facts = try made.infer(
        inputs.map { $0?.fact(detail) }, GraphRunner(graph: graph, node: node))
      #expect(facts.count == results.count, "\(op) typed another number of results")
      for (fact, result) in zip(facts, results) { check(fact, against: result, op, detail) }
    }
    return results
  }

  /// Types a node from facts.
  static func infer(
    _ op: OpKey, _ inputs: [ValueFact?], _ attributes: [Attribute] = [], opset: Int = 20,
    outputCount: Int = 1
  ) throws(OperatorError) -> [ValueFact] {
    let graph = makeGraph(
      op, inputs.map { $0 != nil }, attributes, opset: opset, outputCount: outputCount)
    let node = graph[graph.order[0]]
    return try OperatorTable.standard.make(node, in: graph)
      .infer(inputs, GraphRunner(graph: graph, node: node))
  }

  /// The floating-point operations of a node of the given concrete operand shapes.
  static func flops(
    _ op: OpKey, _ inputs: [ValueFact?], _ attributes: [Attribute] = [], opset: Int = 20
  ) throws(OperatorError) -> Int? {
    let graph = makeGraph(op, inputs.map { $0 != nil }, attributes, opset: opset, outputCount: 1)
    let node = graph[graph.order[0]]
    let made = try OperatorTable.standard.make(node, in: graph)
    let outputs = try made.infer(inputs, GraphRunner(graph: graph, node: node))
    return made.flops(inputs: inputs, outputs: outputs)
  }

  /// Why a node is refused when it is made or typed; nil when it is not.
  static func refusal(
    _ op: OpKey, _ inputs: [ValueFact?], _ attributes: [Attribute] = [], opset: Int = 20,
    outputCount: Int = 1
  ) -> OperatorError? {
    do throws(OperatorError) {
      _ = try infer(op, inputs, attributes, opset: opset, outputCount: outputCount)
      return nil
    } catch {
      return error
    }
  }

  private static func makeGraph(
    _ op: OpKey, _ present: [Bool], _ attributes: [Attribute], opset: Int, outputCount: Int
  ) -> Graph {
    var graph = Graph(opsets: ["": opset, "com.microsoft": 1])
    let inputs = present.map { $0 ? graph.addInput("x", type: .unknown) : nil }
    let outputs = (0..<outputCount).map { _ in graph.makeValue("y") }
    graph.append(Node(op, inputs: inputs, outputs: outputs, attributes: attributes))
    for output in outputs { graph.addOutput(output) }
    return graph
  }

  private static func check(
    _ fact: ValueFact, against value: RuntimeValue, _ op: OpKey, _ detail: FactDetail
  ) {
    guard case .tensor(let type) = fact.type, case .tensor(let tensor) = value else { return }
    let comment = Comment(rawValue: "\(op), typed from \(detail): \(type) but \(tensor.shape)")
    #expect(type.dataType == nil || type.dataType == tensor.dataType, comment)
    let bindings = FactDetail.bindings
    if let shape = type.shape {
      #expect(shape.count == tensor.rank, comment)
      for (claimed, actual) in zip(shape, tensor.shape.dimensions) {
        if let size = claimed.evaluated(with: bindings) { #expect(size == actual, comment) }
      }
    }
    if let constant = fact.constant {
      #expect(constant.dataType == tensor.dataType && constant.shape == tensor.shape, comment)
      #expect(bytes(of: constant) == bytes(of: tensor), comment)
    }
    if let elements = fact.elements, let integers = tensor.integers() {
      #expect(elements.count == integers.count, comment)
      for (claimed, actual) in zip(elements, integers) {
        if let number = claimed.evaluated(with: bindings) { #expect(number == actual, comment) }
      }
    }
  }

  private static func bytes(of tensor: Tensor) -> [UInt8] {
    let dense = tensor.contiguous()
    return Array(
      UnsafeBufferPointer(
        start: dense.base.assumingMemoryBound(to: UInt8.self), count: dense.byteCount))
  }
}

/// How much of an operand typing is told.
private enum FactDetail: String, CustomStringConvertible {
  case constants
  case types
  case symbols

  var description: String { rawValue }

  /// What the symbols stand for.
  static let bindings = Dictionary(uniqueKeysWithValues: (2...4096).map { ("n\($0)", $0) })
}

extension RuntimeValue {
  fileprivate func fact(_ detail: FactDetail) -> ValueFact {
    switch self {
    case .absent: ValueFact(.optional(.unknown))
    case .sequence(let elements):
      ValueFact(.sequence(elements.first?.fact(.types).type ?? .unknown))
    case .tensor(let tensor):
      switch detail {
      case .constants: ValueFact(constant: tensor)
      case .types: ValueFact(.tensor(TensorType(tensor.dataType, tensor.shape)))
      case .symbols:
        tensor.dataType == .int64 && tensor.rank <= 1
          ? ValueFact(constant: tensor)
          : ValueFact(
            tensor.dataType,
            tensor.shape.dimensions.map { $0 > 1 ? Dimension(symbol: "n\($0)") : Dimension($0) })
      }
    }
  }
}

/// The surroundings of a node in a test: plain memory, and subgraphs run node by node.
struct GraphRunner: RunContext, InferenceContext {
  /// The graph the node stands in.
  let graph: Graph
  /// The node that asks.
  let node: Node
  /// Values of `graph` that are known while it runs.
  var values: [ValueID: RuntimeValue] = [:]
  /// The same for typing.
  var facts: [ValueID: ValueFact] = [:]

  func makeTensor(_ dataType: DataType, _ shape: Shape) throws(OperatorError) -> Tensor {
    do { return try Tensor(uninitialized: dataType, shape) } catch { throw .overflow(error) }
  }

  func makeSymbol() -> Dimension { Dimension(symbol: "fresh-\(Self.symbolCount.increment())") }

  func run(
    subgraph attribute: String, arguments: [RuntimeValue]
  ) throws(OperatorError) -> [RuntimeValue] {
    let subgraph = try subgraph(attribute)
    return try Self.run(
      subgraph.graph, arguments: arguments, captures: subgraph.captures.map { values[$0] })
  }

  func infer(
    subgraph attribute: String, arguments: [ValueFact]
  ) throws(OperatorError) -> [ValueFact] {
    let subgraph = try subgraph(attribute)
    return try Self.infer(
      subgraph.graph, arguments: arguments, captures: subgraph.captures.map { facts[$0] })
  }

  private static let symbolCount = Counter()

  private func subgraph(_ attribute: String) throws(OperatorError) -> Subgraph {
    guard case .graph(let subgraph) = node.attribute(attribute) else {
      throw .badOperands("no graph '\(attribute)'")
    }
    return subgraph
  }

  /// Runs a graph, node by node.
  static func run(
    _ graph: Graph, arguments: [RuntimeValue], captures: [RuntimeValue?] = []
  ) throws(OperatorError) -> [RuntimeValue] {
    var values: [ValueID: RuntimeValue] = [:]
    for (value, tensor) in graph.initializers {
      if let tensor = try? tensor.load() { values[value] = .tensor(tensor) }
    }
    for (value, capture) in zip(graph.captures, captures) { values[value] = capture }
    for (value, argument) in zip(graph.inputs, arguments) { values[value] = argument }
    for id in graph.order {
      let node = graph[id]
      let made = try OperatorTable.standard.make(node, in: graph)
      let results = try made.run(
        node.inputs.map { $0.flatMap { values[$0] } },
        GraphRunner(graph: graph, node: node, values: values))
      for (value, result) in zip(node.outputs, results) {
        if let value { values[value] = result }
      }
    }
    return graph.outputs.compactMap { values[$0] }
  }

  /// Types a graph, node by node.
  static func infer(
    _ graph: Graph, arguments: [ValueFact], captures: [ValueFact?] = []
  ) throws(OperatorError) -> [ValueFact] {
    var facts: [ValueID: ValueFact] = [:]
    for (value, tensor) in graph.initializers {
      if let tensor = try? tensor.load() { facts[value] = ValueFact(constant: tensor) }
    }
    for (value, capture) in zip(graph.captures, captures) { facts[value] = capture }
    for (value, argument) in zip(graph.inputs, arguments) { facts[value] = argument }
    for id in graph.order {
      let node = graph[id]
      let made = try OperatorTable.standard.make(node, in: graph)
      let results = try made.infer(
        node.inputs.map { $0.map { facts[$0] ?? ValueFact(.unknown) } },
        GraphRunner(graph: graph, node: node, facts: facts))
      for (value, result) in zip(node.outputs, results) {
        if let value { facts[value] = result }
      }
    }
    return graph.outputs.map { facts[$0] ?? ValueFact(.unknown) }
  }
}

/// Counts up from 1, for several threads at once.
private final class Counter: Sendable {
  private let count = Atomic<Int>(0)

  func increment() -> Int { count.wrappingAdd(1, ordering: .relaxed).newValue }
}

extension Tensor {
  /// A tensor written down in a test: `Tensor.of([1, 2, 3, 4] as [Float], 2, 2)`.
  static func of<Element: TensorElement>(
    _ elements: [Element], _ dimensions: Int...
  ) throws -> Tensor {
    Tensor(elements, shape: try Shape(dimensions))
  }

  /// A float32 tensor of the given dimensions whose elements follow a fixed irregular pattern
  /// between -`scale` and `scale`; different seeds give different patterns.
  static func pattern(_ dimensions: Int..., seed: Int = 1, scale: Float = 1) throws -> Tensor {
    let shape = try Shape(dimensions)
    let elements = (0..<shape.elementCount).map { index in
      scale * Float((index * 7919 + seed * 104_729) % 2003 - 1001) / 1001
    }
    return Tensor(elements, shape: shape)
  }

  /// The elements of a float32 tensor.
  var floats: [Float] { elements(as: Float.self) }

  /// The same elements seen as a transposed, non-contiguous view of other memory.
  func scattered() throws -> Tensor {
    guard rank >= 2 else { return self }
    let order = Array((0..<rank).reversed())
    let reversed = view(
      shape: try Shape(order.map { shape[$0] }), strides: order.map { strides[$0] }
    ).contiguous()
    return reversed.view(shape: shape, strides: order.map { reversed.strides[$0] })
  }
}

/// Expects a float32 tensor of a shape with elements within `tolerance` of others.
func expectClose(
  _ tensor: Tensor, _ expected: [Float], shape: [Int]? = nil, tolerance: Float = 1e-6,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  if let shape {
    #expect(tensor.shape.dimensions == shape, sourceLocation: sourceLocation)
  }
  let actual = tensor.floats
  #expect(actual.count == expected.count, sourceLocation: sourceLocation)
  for (index, (a, b)) in zip(actual, expected).enumerated() {
    let equal = a == b || (a.isNaN && b.isNaN) || abs(a - b) <= tolerance * max(1, abs(b))
    #expect(equal, "element \(index) is \(a), \(b) was expected", sourceLocation: sourceLocation)
    if !equal { return }
  }
}
