public import GraphIR
public import Rewrite
import Tensors

/// An operator that the runtime lacks in its element type is computed in another one.
///
/// Casts stand before its operands and behind its results; constants stay as they are. The gaps are
/// tables, one a runtime (`KernelGap`).
public struct MissingKernel: Pass {
  /// `missing-kernel`.
  public let name = "missing-kernel"

  private let gaps: [KernelGap]

  init(_ gaps: [KernelGap]) {
    self.gaps = gaps
  }

  /// Puts Casts around each operator of the table.
  public func run(on graph: inout Graph, report: inout PassReport) throws {
    var order: [NodeID] = []
    order.reserveCapacity(graph.order.count)
    for id in graph.order {
      guard let (lacking, substitute) = gap(of: graph[id], in: graph) else {
        order.append(id)
        continue
      }
      var node = graph[id]
      var casts = CastInsertion(scopes: node.scopes)
      node.inputs = node.inputs.map { value in
        guard let value, graph.tensorType(of: value)?.dataType == lacking else { return value }
        return casts.convert(value, to: substitute, in: &graph)
      }
      order += casts.made
      var back = CastInsertion(scopes: node.scopes)
      for (position, value) in node.outputs.enumerated() {
        guard let value, graph.tensorType(of: value)?.dataType == lacking else { continue }
        let wide = graph.makeValue(
          graph.name(of: value).derived(substitute.description),
          type: .tensor(substitute, graph.tensorType(of: value)?.shape))
        node.outputs[position] = wide
        back.pending.append((wide, value, lacking))
      }
      graph.replace(id, with: node)
      order.append(id)
      back.flush(in: &graph)
      order += back.made
      report.changed(
        graph.label(of: id), "computed in \(substitute): there is no kernel for \(lacking)")
    }
    graph.setOrder(order)
  }

  private func gap(of node: Node, in graph: Graph) -> (lacking: DataType, substitute: DataType)? {
    for gap in gaps where gap.ops.contains(node.op) {
      if let closed = gap.closed, graph.opset >= closed { continue }
      let operands = node.inputs.compactMap { $0.flatMap { graph.tensorType(of: $0)?.dataType } }
      if let type = operands.first(where: gap.lacking.contains) { return (type, gap.substitute) }
    }
    return nil
  }
}

/// Casts on their way into a graph; the caller puts `made` into the order.
struct CastInsertion {
  private(set) var made: [NodeID] = []
  var pending: [(from: ValueID, to: ValueID, type: DataType)] = []
  private var known: [ValueID: ValueID] = [:]
  private let scopes: [String]

  /// Casts that belong to the module whose scopes are given.
  init(scopes: [String]) {
    self.scopes = scopes
  }

  /// A value in another type, cast once.
  mutating func convert(_ value: ValueID, to type: DataType, in graph: inout Graph) -> ValueID {
    if let done = known[value] { return done }
    let result = graph.makeValue(
      graph.name(of: value).derived(type.description),
      type: .tensor(type, graph.tensorType(of: value)?.shape))
    add(from: value, to: result, type, in: &graph)
    known[value] = result
    return result
  }

  /// Makes the casts that wait for their operand's node.
  mutating func flush(in graph: inout Graph) {
    for cast in pending { add(from: cast.from, to: cast.to, cast.type, in: &graph) }
    pending = []
  }

  private mutating func add(
    from value: ValueID, to result: ValueID, _ type: DataType, in graph: inout Graph
  ) {
    made.append(
      graph.add(
        Node(
          "Cast", name: graph.name(of: result), inputs: [value], outputs: [result],
          attributes: [Attribute("to", .int(Int(type.rawValue)))], scopes: scopes)))
  }
}
