import GraphIR
import Operators
import Rewrite
import Tensors

/// Products of one left operand, such as the projections to queries, keys and values, become
/// `FusedProjections`, whose work is shared among threads as a whole.
///
/// They may have a bias and an activation, and must round their factors alike. Each is moved up to
/// the first that finds all weights and biases computed, and none past a reader of another's result:
/// results would be kept for longer. What a Concat joins stays alone, too: a product of its own writes
/// it there at once.
struct SharedInput: Pass {
  var name: String { "shared-input" }

  /// A product, and where in the order it may stand.
  private struct Product {
    let node: NodeID
    let position: Int
    let precision: String
    /// The last node that computes its weight or bias, -1 for none.
    let ready: Int
    /// The first node that reads its result.
    let firstRead: Int
  }

  func run(on graph: inout Graph, report: inout PassReport) {
    let uses = UseIndex(graph)
    let positions = graph.orderPositions()
    var candidates: [ValueID: [NodeID]] = [:]
    var inputs: [ValueID] = []
    for id in graph.order {
      guard Self.isProduct(graph[id], in: graph), let x = graph[id].inputs[0] else { continue }
      if candidates[x] == nil { inputs.append(x) }
      candidates[x, default: []].append(id)
    }
    var groups: [[Product]] = []
    for x in inputs {
      guard let nodes = candidates[x], nodes.count > 1 else { continue }
      var group: [Product] = []
      var firstRead = Int.max
      var reasonToPart: String?
      func close() {
        if group.count > 1 {
          groups.append(group)
        } else if let reasonToPart, let alone = group.first {
          report.decline(graph.label(of: alone.node), reasonToPart)
        }
      }
      for id in nodes {
        if let other = Self.otherStep(of: graph[id]) {
          report.decline(graph.label(of: id), "the product has a \(other)")
          continue
        }
        if graph[id].op != "MatMul", Self.isJoined(graph[id].outputs[0], in: graph, uses) {
          report.decline(graph.label(of: id), "it writes its result where a Concat joins it")
          continue
        }
        let product = Self.product(id, in: graph, uses, positions)
        if let first = group.first, product.precision != first.precision {
          report.decline(
            graph.label(of: id),
            "the product rounds its factors otherwise than \(graph.label(of: first.node))")
          continue
        }
        if let first = group.first, product.position >= firstRead {
          close()
          reasonToPart =
            product.ready >= first.position
            ? "its weight or bias is computed behind \(graph.label(of: first.node))"
            : "results of the others would be kept for longer"
          (group, firstRead) = ([], .max)
        }
        group.append(product)
        firstRead = min(firstRead, product.firstRead)
      }
      close()
    }
    replace(groups, in: &graph, &report)
  }

  /// True for x W with W a matrix, of types that fused operators take.
  private static func isProduct(_ node: Node, in graph: Graph) -> Bool {
    guard node.op == .fused("FusedLinear") || node.op == "MatMul", node.inputs.count > 1,
      let x = node.inputs[0], let weight = node.inputs[1], let result = node.outputs[0],
      let shape = graph.tensorType(of: x)?.shape, shape.count > 1,
      graph.tensorType(of: weight)?.shape?.count == 2
    else { return false }
    return [x, weight, result].allSatisfy { graph.tensorType(of: $0)?.dataType?.isFusible == true }
  }

  /// What `FusedProjections` does not compute.
  private static func otherStep(of node: Node) -> String? {
    if node.inputs.dropFirst(3).contains(where: { $0 != nil }) { return "factor or addend" }
    let known = ["activation", "precision", "to"]
    return node.attributes.first { !known.contains($0.name) }?.name
  }

  /// True for a result that only a Concat reads, through views: a `FusedLinear` writes it there.
  private static func isJoined(_ result: ValueID?, in graph: Graph, _ uses: UseIndex) -> Bool {
    let views: Set<OpKey> = ["Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten"]
    var value = result
    while let own = value, !uses.isOutput(own), uses.users(of: own).count == 1,
      let reader = uses.users(of: own).first
    {
      if graph[reader].op == "Concat" { return true }
      value = views.contains(graph[reader].op) ? graph[reader].outputs[0] : nil
    }
    return false
  }

  private static func product(
    _ id: NodeID, in graph: Graph, _ uses: UseIndex, _ positions: [Int]
  ) -> Product {
    let node = graph[id]
    let ready = node.inputs.dropFirst().compactMap { $0.flatMap(graph.producer) }
      .map { positions[Int($0.index)] }
    let reads = node.outputs.compactMap { $0.flatMap { uses.users(of: $0).first } }
    return Product(
      node: id, position: positions[Int(id.index)],
      precision: word("precision", of: node) ?? MatrixPrecision.float32.rawValue,
      ready: ready.max() ?? -1, firstRead: reads.map { positions[Int($0.index)] }.min() ?? .max)
  }

  private func replace(
    _ groups: [[Product]], in graph: inout Graph, _ report: inout PassReport
  ) {
    guard !groups.isEmpty else { return }
    var insertions: [NodeID: Node] = [:]
    var removed: Set<NodeID> = []
    for group in groups {
      let ready = group.map(\.ready).max() ?? -1
      guard let anchor = group.first(where: { $0.position > ready }) else { continue }
      insertions[anchor.node] = joint(group.map { graph[$0.node] }, group[0].precision, in: graph)
      let labels = group.map { graph.label(of: $0.node) }
      report.changed(labels[0], "computed with \(labels.dropFirst().joined(separator: ", "))")
      removed.formUnion(group.map(\.node))
    }
    var order = graph.order
    graph.remove(removed)
    order = order.flatMap { id -> [NodeID] in
      let added = insertions[id].map { [graph.add($0)] } ?? []
      return removed.contains(id) ? added : added + [id]
    }
    graph.setOrder(order)
  }

  private func joint(_ nodes: [Node], _ precision: String, in graph: Graph) -> Node {
    var operands: [ValueID?] = [nodes[0].inputs[0]]
    for node in nodes {
      operands += [node.inputs[1], node.inputs.count > 2 ? node.inputs[2] : nil]
    }
    let types = nodes.map { node in
      node.outputs[0].flatMap { graph.tensorType(of: $0)?.dataType?.rawValue } ?? 0
    }
    var attributes = [Attribute("to", .ints(types.map { Int($0) }))]
    let activations = nodes.map { Self.word("activation", of: $0) ?? "none" }
    if activations.contains(where: { $0 != "none" }) {
      attributes.append(Attribute("activations", .strings(activations.map { Array($0.utf8) })))
    }
    if precision != MatrixPrecision.float32.rawValue {
      attributes.append(Attribute("precision", .text(precision)))
    }
    return Node(
      .fused("FusedProjections"), name: nodes[0].name, inputs: operands,
      outputs: nodes.map { $0.outputs[0] }, attributes: attributes, scopes: nodes[0].scopes)
  }

  private static func word(_ name: String, of node: Node) -> String? {
    guard case .string(let bytes)? = node.attribute(name) else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }
}
