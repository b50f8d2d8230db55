public import GraphIR
public import Rewrite
import Tensors

/// What a bfloat16 model computes becomes float32; weights, inputs and outputs stay bfloat16.
///
/// ONNX Runtime's CPU provider moves bfloat16 but computes nothing in it. Where values of that type
/// meet an operator that computes, they, and whatever moves them on, become float32: weights and
/// inputs through a Cast, results for the caller through a Cast back. Intermediate results are then
/// not rounded to 8 bits any more, so they are nearer to exact arithmetic than the original's. Casts
/// of float32 to bfloat16 and back, with which some models round on purpose, stay.
public struct BFloat16Computation: Pass {
  /// `bfloat16-computation`.
  public let name = "bfloat16-computation"

  /// The pass.
  public init() {}

  /// Operators that take bfloat16 in ONNX Runtime 1.32's CPU provider, because they only move.
  private static let movers: Set<OpKey> = [
    "Concat", "Flatten", "Gather", "GatherElements", "GatherND", "Identity", "IsNaN", "Reshape",
    "ScatterElements", "ScatterND", "Slice", "Split", "Squeeze", "Transpose", "Unsqueeze",
  ]

  /// Operators whose results have a type of their own, whatever their operands' is.
  private static let borders: Set<OpKey> = [
    "Cast", "Constant", "ConstantOfShape", "EyeLike", "RandomNormal", "RandomNormalLike",
    "RandomUniform", "RandomUniformLike", "Shape", "Size",
  ]

  private static func isBorder(_ node: Node) -> Bool {
    borders.contains(node.op) || !node.subgraphs.isEmpty
  }

  /// Retypes what computes.
  public func run(on graph: inout Graph, report: inout PassReport) throws {
    let regions = BFloat16Regions(graph, isBorder: Self.isBorder) {
      Self.movers.contains($0.op)
    }
    guard regions.valueCount > 0 else { return }
    var work = Retyping(graph: graph, regions: regions)
    for id in graph.order { work.visit(id, isBorder: Self.isBorder(graph[id])) }
    work.graph.setOrder(work.order)
    graph = work.graph
    report.changed(
      "graph '\(graph.name)'",
      "\(regions.valueCount) values are float32 now: the runtime computes nothing in bfloat16")
  }

  /// One walk over the nodes in order.
  private struct Retyping {
    var graph: Graph
    let regions: BFloat16Regions
    var order: [NodeID] = []
    private let uses: UseIndex
    /// Float32 values beside those that must stay bfloat16: inputs, constants, outputs.
    private var wide: [ValueID: ValueID] = [:]

    init(graph: Graph, regions: BFloat16Regions) {
      self.graph = graph
      self.regions = regions
      uses = UseIndex(graph)
      order.reserveCapacity(graph.order.count)
    }

    mutating func visit(_ id: NodeID, isBorder: Bool) {
      var node = graph[id]
      var casts = CastInsertion(scopes: node.scopes)
      if isBorder {
        keepCaptures(of: &node, &casts)
      } else {
        node.inputs = node.inputs.map { $0.map { widened($0, &casts) } }
      }
      order += casts.made
      var results = CastInsertion(scopes: node.scopes)
      for position in node.outputs.indices {
        retype(position, of: &node, isBorder: isBorder, &results)
      }
      graph.replace(id, with: node)
      order.append(id)
      results.flush(in: &graph)
      order += results.made
    }

    /// The float32 form of an operand.
    private mutating func widened(_ value: ValueID, _ casts: inout CastInsertion) -> ValueID {
      guard regions.contains(value) else { return value }
      if let done = wide[value] { return done }
      guard graph.tensorType(of: value)?.dataType == .bfloat16 else { return value }
      let cast = casts.convert(value, to: .float32, in: &graph)
      wide[value] = cast
      return cast
    }

    /// Graphs inside a node go on reading bfloat16; so do operands of a node that owns graphs.
    private mutating func keepCaptures(of node: inout Node, _ casts: inout CastInsertion) {
      guard !node.subgraphs.isEmpty else { return }
      for value in Set(node.uses).sorted() where regions.contains(value) {
        guard graph.tensorType(of: value)?.dataType == .float32 else { continue }
        let narrow = casts.convert(value, to: .bfloat16, in: &graph)
        node.mapUses { $0 == value ? narrow : $0 }
      }
    }

    /// Makes a result float32, or puts a float32 value beside it.
    private mutating func retype(
      _ position: Int, of node: inout Node, isBorder: Bool, _ casts: inout CastInsertion
    ) {
      guard let value = node.outputs[position], regions.contains(value) else { return }
      let type = ValueType.tensor(.float32, graph.tensorType(of: value)?.shape)
      let isOutput = uses.isOutput(value)
      if isBorder, node.op != "Cast" || isOutput { return }
      if isOutput {
        let result = graph.makeValue(graph.name(of: value).derived("float32"), type: type)
        wide[value] = result
        node.outputs[position] = result
        casts.pending.append((result, value, .bfloat16))
        return
      }
      graph.setType(type, of: value)
      if node.op == "Cast" {
        node.attributes = [Attribute("to", .int(Int(DataType.float32.rawValue)))]
      }
    }
  }
}
