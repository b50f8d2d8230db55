import GraphIR
import Operators
import Synchronization
import Tensors

/// An operator of its own domain that passes its float operand on, plus one, and counts how often
/// it ran.
struct CountedIncrement: Operator {
  static let key = OpKey("CountedIncrement", domain: "probe")
  static let versions = 1...1
  private static let counts = Mutex<[Int: Int]>([:])

  private let tag: Int

  /// How often the nodes with a `tag` ran in this process.
  static func count(_ tag: Int) -> Int { counts.withLock { $0[tag] ?? 0 } }

  /// A tag that no other test has.
  static func makeTag() -> Int {
    counts.withLock { counts in
      let tag = counts.count + 1
      counts[tag] = 0
      return tag
    }
  }

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
    tag = try node.int("tag", default: 0)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    [ValueFact(try inputs.required(0).type)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    Self.counts.withLock { $0[tag, default: 0] += 1 }
    let operand = try inputs.tensor(0).contiguous()
    let result = try context.makeTensor(.float32, operand.shape)
    for i in 0..<operand.elementCount {
      result.pointer(as: Float.self)[i] = operand.pointer(as: Float.self)[i] + 1
    }
    return [.tensor(result)]
  }
}

/// Counts how often a constant is read.
final class CountedSource: TensorSource {
  private let tensor: Tensor
  private let reads = Mutex(0)

  init(_ tensor: Tensor) {
    self.tensor = tensor
  }

  var readCount: Int { reads.withLock { $0 } }

  func load() throws -> Tensor {
    reads.withLock { $0 += 1 }
    return tensor
  }

  var stored: StoredTensor {
    StoredTensor(dataType: tensor.dataType, shape: tensor.shape, source: self)
  }
}

extension OperatorTable {
  static let withProbes = OperatorTable.standard.adding([CountedIncrement.self])
}

extension Graph {
  /// A graph that imports the probes.
  static func probed() -> Graph { Graph(opsets: ["": 20, "probe": 1]) }

  @discardableResult
  mutating func increment(_ value: ValueID, tag: Int = 0, name: Name = "") -> ValueID {
    emit(CountedIncrement.key, [value], [Attribute("tag", .int(tag))], name: name)
  }

  /// An `If` with one result whose branches are built by closures that get the captured values.
  mutating func choose(
    _ condition: ValueID, capturing captures: [ValueID],
    then: (inout Graph, [ValueID]) -> ValueID, otherwise: (inout Graph, [ValueID]) -> ValueID
  ) -> ValueID {
    func branch(_ build: (inout Graph, [ValueID]) -> ValueID) -> AttributeValue {
      var graph = Graph(name: "branch", opsets: opsets)
      let inner = captures.map { graph.addCapture(name(of: $0), type: type(of: $0)) }
      let result = build(&graph, inner)
      graph.addOutput(result)
      return .graph(Subgraph(graph: graph, captures: captures))
    }
    return emit(
      "If", [condition],
      [
        Attribute("then_branch", branch(then)), Attribute("else_branch", branch(otherwise)),
      ])
  }
}

extension ValueType {
  static func float32(_ dimensions: Dimension...) -> ValueType { .tensor(.float32, dimensions) }
}

extension Dimension {
  static func symbol(_ name: String) -> Dimension { Dimension(symbol: name) }
}

extension Tensor {
  static func floats(_ elements: [Float], _ dimensions: Int...) throws -> Tensor {
    Tensor(elements, shape: try Shape(dimensions))
  }
}
