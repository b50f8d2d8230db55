import GraphIR
import Operators
import Tensors
import TypeInference

/// A part of a larger tensor that a step writes its result to.
struct Placement: Sendable {
  /// The value that the larger tensor becomes.
  let whole: ValueID
  let wholeShape: Shape
  /// The part; it has no elements.
  let layout: Tensor
  /// The slot of the larger tensor, which whoever writes to it first makes; negative until it is
  /// known.
  private(set) var slot: Int32 = -1

  /// The placement with its slot.
  func at(slot: Int32) -> Placement {
    var result = self
    result.slot = slot
    return result
  }
}

/// Results that are written straight to where a Concat joins them, so that it copies nothing.
///
/// Between the operator that writes a part and the Concat there may be views, and nobody else reads
/// them. A Concat inside a Concat is a part like any other.
struct JoinedResults {
  /// Where nodes write; a Concat that is no part itself writes to the whole.
  private(set) var placements: [NodeID: Placement] = [:]

  private let graph: Graph
  private let facts: GraphFacts
  private let known: KnownValues
  private let liveness: Liveness
  private let makeOperator: (NodeID) -> (any Operator)?

  /// The placements of the nodes that run.
  init(
    _ graph: Graph, _ facts: GraphFacts, _ known: KnownValues, _ liveness: Liveness,
    makeOperator: @escaping (NodeID) -> (any Operator)?
  ) {
    self.graph = graph
    self.facts = facts
    self.known = known
    self.liveness = liveness
    self.makeOperator = makeOperator
    let position = Dictionary(
      uniqueKeysWithValues: liveness.order.enumerated().map { ($1, $0) })
    for id in liveness.order.reversed() where graph[id].op == "Concat" {
      join(id, isRunning: { position[$0] != nil })
    }
  }

  private mutating func join(_ id: NodeID, isRunning: (NodeID) -> Bool) {
    guard let result = graph[id].outputs.first.flatMap({ $0 }), graph[id].inputs.count > 1,
      let type = facts[result].type.tensor, let shape = type.concreteShape,
      let dataType = type.dataType, shape.elementCount > 0,
      case .int(let number)? = graph[id].attribute("axis")
    else { return }
    let axis = number < 0 ? Int(number) + shape.rank : Int(number)
    guard shape.dimensions.indices.contains(axis) else { return }
    let own =
      placements[id]
      ?? Placement(whole: result, wholeShape: shape, layout: .outline(dataType, shape))
    var first = 0
    for input in graph[id].inputs {
      guard let input, let part = facts[input].type.tensor?.concreteShape, part.rank == shape.rank,
        first + part[axis] <= shape[axis]
      else { return }
      let layout = own.layout.sliced(axis: axis, first: first, count: part[axis])
      first += part[axis]
      guard layout.shape == part, part.elementCount > 0,
        let (node, layout) = writer(of: input, as: layout, isRunning)
      else { continue }
      placements[node] = Placement(whole: own.whole, wholeShape: own.wholeShape, layout: layout)
      placements[id] = own
    }
  }

  /// The node whose result is a value seen another way, and the layout it must have for the value to
  /// have `layout`; nil if another reads it or cannot write so.
  private func writer(
    of value: ValueID, as layout: Tensor, _ isRunning: (NodeID) -> Bool
  ) -> (NodeID, Tensor)? {
    var (value, layout) = (value, layout)
    while liveness.hasOneReader(value), !known.contains(value),
      let id = graph.producer(of: value), isRunning(id)
    {
      let node = graph[id]
      switch node.op {
      case "Reshape", "Squeeze", "Unsqueeze", "Flatten":
        guard let source = node.inputs[0], let shape = facts[source].type.tensor?.concreteShape,
          shape.elementCount == layout.elementCount, let view = layout.reshaped(to: shape)
        else { return nil }
        (value, layout) = (source, view)
      case "Transpose":
        guard let source = node.inputs[0], let order = permutation(of: node, layout.rank) else {
          return nil
        }
        var places = order
        for (place, axis) in order.enumerated() { places[axis] = place }
        (value, layout) = (source, layout.transposed(places))
      default:
        guard let placed = makeOperator(id) as? any PlacedOperator, node.outputs.count == 1,
          facts[value].type.tensor?.dataType == layout.dataType,
          layout.isContiguous || placed.canWrite(into: layout)
        else { return nil }
        return (id, layout)
      }
    }
    return nil
  }

  private func permutation(of node: Node, _ rank: Int) -> [Int]? {
    guard case .ints(let order)? = node.attribute("perm") else {
      return Array((0..<rank).reversed())
    }
    let axes = order.map { Int($0) }
    return axes.sorted() == Array(0..<rank) ? axes : nil
  }
}

extension Tensor {
  /// A row-major tensor without elements, to find layouts with.
  fileprivate static func outline(_ dataType: DataType, _ shape: Shape) -> Tensor {
    Tensor(
      dataType: dataType, shape: shape, strides: shape.rowMajorStrides, offset: 0,
      storage: TensorStorage(byteCount: 0))
  }
}
