import GraphIR
import Operators
import Rewrite
import Tensors

/// Elementwise operators whose results nobody else reads, the Casts between them and the operator that
/// all of them lead to become `FusedElementwise`, one pass over memory.
///
/// Every step rounds as its operator does, so the bits stay the same. What is computed once, from
/// constants, or is smaller than the result stays outside.
struct ElementwiseFusion: Pass {
  /// Steps of one chain at most; longer ones become several.
  static let maximumSteps = 16

  let operators: OperatorTable
  /// The contents of a value, when they are known.
  let constant: @Sendable (ValueID) -> Tensor?

  var name: String { "elementwise-chain" }

  func run(on graph: inout Graph, report: inout PassReport) {
    let parts = ElementwiseParts(of: graph, operators, constant)
    var chains: [NodeID: [NodeID]] = [:]
    var taken: Set<NodeID> = []
    for id in graph.order.reversed() where parts[id] != nil && !taken.contains(id) {
      let growth = parts.chain(endingAt: id)
      if growth.nodes.count > 1 {
        taken.formUnion(growth.nodes)
        chains[id] = growth.nodes
      } else if let reason = growth.reason {
        report.decline(graph.label(of: id), reason)
      }
    }
    let order = graph.order
    for id in order {
      guard let nodes = chains[id] else { continue }
      let label = graph.label(of: id)
      let chain = Chain(nodes, in: graph, parts)
      graph.replace(id, with: chain.node)
      report.changed(label, "\(chain.steps.count) steps in one pass: \(chain.summary)")
    }
    graph.remove(taken.subtracting(chains.keys))
  }
}

/// The operand numbers and steps of a chain.
private struct Chain {
  private(set) var steps: [ElementwiseStep] = []
  private(set) var node: Node

  /// The chain of nodes in the order of the graph; the last gives the result.
  init(_ nodes: [NodeID], in graph: Graph, _ parts: ElementwiseParts) {
    let results = Set(nodes.compactMap { graph[$0].outputs[0] })
    var operands: [ValueID] = []
    var numbers: [ValueID: Int] = [:]
    for case let value? in nodes.flatMap({ graph[$0].inputs })
    where !results.contains(value) && numbers[value] == nil {
      numbers[value] = operands.count
      operands.append(value)
    }
    let last = graph[nodes[nodes.count - 1]]
    node = Node(
      .fused("FusedElementwise"), inputs: operands, outputs: last.outputs, scopes: last.scopes)
    for id in nodes {
      guard let part = parts[id], let result = graph[id].outputs[0] else { continue }
      let reads = graph[id].inputs.compactMap { $0.flatMap { numbers[$0] } }
      switch part.function {
      case .unary(let name): steps.append(ElementwiseStep(name, reading: reads, as: part.type))
      case .binary(let name):
        var total = reads[0]
        for read in reads.dropFirst() {
          steps.append(ElementwiseStep(name, reading: [total, read], as: part.type))
          total = operands.count + steps.count - 1
        }
      case .conversion(.float32):
        numbers[result] = reads[0]
        continue
      case .conversion(let type):
        if let step = Self.step(rounding: id, in: graph, parts, reads[0] - operands.count) {
          steps[step].type = type
          numbers[result] = reads[0]
          continue
        }
        steps.append(ElementwiseStep(ElementwiseStep.identity, reading: reads, as: type))
      }
      numbers[result] = operands.count + steps.count - 1
    }
    let type = last.outputs[0].flatMap { graph.tensorType(of: $0)?.dataType } ?? .float32
    let number = last.outputs[0].flatMap { numbers[$0] } ?? 0
    if steps.isEmpty || number != operands.count + steps.count - 1 {
      steps.append(ElementwiseStep(ElementwiseStep.identity, reading: [number], as: type))
    }
    node.attributes = steps.attributes(to: type)
    let place = last.name.isEmpty ? last.outputs[0].map(graph.name(of:)) ?? "" : last.name
    node.name = Name("\(place.text) (\(summary))")
  }

  /// The step whose result a Cast alone reads, so that it may round itself; nil if there is none.
  private static func step(
    rounding cast: NodeID, in graph: Graph, _ parts: ElementwiseParts, _ number: Int
  ) -> Int? {
    guard number >= 0, let source = graph[cast].inputs[0],
      let part = graph.producer(of: source).flatMap({ parts[$0] }), part.type == .float32,
      parts.uses.users(of: source).count == 1
    else { return nil }
    if case .conversion = part.function { return nil }
    return number
  }

  /// The functions in order, as far as a line takes them.
  var summary: String {
    let names = steps.map { step in
      step.function == ElementwiseStep.identity ? step.type.description : step.function
    }
    guard names.count > 6 else { return names.joined(separator: ", ") }
    return names.prefix(5).joined(separator: ", ") + " and \(names.count - 5) more"
  }
}
