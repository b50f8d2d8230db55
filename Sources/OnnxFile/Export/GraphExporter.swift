import COnnxShim
import GraphIR
import Tensors

/// Writes IR graphs into a draft, borrowing what did not change.
final class GraphExporter {
  /// The message that origins and borrowed tensors refer to; nil when everything is new.
  let model: ModelMessage?
  let draft: Draft
  let path: String

  /// New locations of external data by the original ones.
  let locations: [String: String]

  /// Where each original went, for the undo record.
  private(set) var places = UndoRecord.Places()

  /// Original operands of nodes that only read or write other names now.
  private(set) var operands: [Int: [UInt8]] = [:]

  private var isPlaced: [Bool]

  /// Names of nodes; ONNX Runtime refuses two nodes of one name.
  private var nodeNames: Set<Name> = []
  private let match: NodeMatch?

  init(model: ModelMessage?, draft: Draft, path: String, locations: [String: String] = [:]) {
    self.model = model
    self.draft = draft
    self.path = path
    self.locations = locations
    match = model.map(NodeMatch.init(model:))
    isPlaced = Array(
      repeating: false, count: model.map { Int(onnx_graph_node_count($0.graph)) } ?? 0)
  }

  /// The original nodes that neither stand in the draft nor differ by names alone.
  var changedNodes: [Int] { isPlaced.indices.filter { !isPlaced[$0] } }

  /// Appends the nodes of a graph, and of all graphs inside them.
  func addNodes(
    of graph: Graph, in scope: ExportScope, to draft: OnnxGraphDraft, at path: GraphPath
  ) throws {
    for (position, id) in graph.order.enumerated() {
      let node = graph[id]
      guard let message = original(of: node) else {
        let made = onnx_graph_draft_add_node(draft)
        places.appendNew(at: path)
        setFacts(of: made, to: node, named: uniqueNodeName(node.name))
        setOperands(of: made, to: node, in: scope)
        try addAttributes(of: node, in: scope, to: made, at: path.appending(node: position))
        continue
      }
      try place(
        node, from: message, in: scope, to: draft, at: path, position: position)
    }
  }

  private func original(of node: Node) -> OnnxNodeRef? {
    guard let model, let origin = node.origin, isPlaced.indices.contains(origin.index) else {
      return nil
    }
    return onnx_graph_node(model.graph, origin.index)
  }

  private func place(
    _ node: Node, from message: OnnxNodeRef, in scope: ExportScope, to draft: OnnxGraphDraft,
    at path: GraphPath, position: Int
  ) throws {
    guard let match, let origin = node.origin?.index else { return }
    let hasSameOperands = match.hasSameOperands(node, message, in: scope)
    let hasSameFacts = match.hasSameFacts(node, message, in: scope)
    if hasSameOperands, hasSameFacts, !isPlaced[origin] {
      onnx_graph_draft_borrow_node(draft, message)
      isPlaced[origin] = true
      places.append(original: origin, at: path)
      return
    }
    let copy = onnx_graph_draft_copy_node(draft, message)
    if hasSameFacts, !isPlaced[origin] {
      isPlaced[origin] = true
      places.append(.renamed(origin), at: path)
      operands[origin] = message.encodedOperands
    } else {
      places.appendNew(at: path)
    }
    if !hasSameOperands {
      onnx_node_draft_clear_operands(copy)
      setOperands(of: copy, to: node, in: scope)
    }
    if !hasSameFacts {
      setFacts(of: copy, to: node, named: node.name)
      onnx_node_draft_clear_attributes(copy)
      try addAttributes(
        of: node, in: scope, to: copy, at: path.appending(node: position), original: message)
    }
  }

  /// Keeps the names of moved nodes from being given to new ones.
  func reserveNodeNames(of graph: Graph) {
    graph.forEachGraph { graph in
      for id in graph.order where graph[id].origin != nil { nodeNames.insert(graph[id].name) }
    }
  }

  private func uniqueNodeName(_ name: Name) -> Name {
    guard !name.isEmpty else { return name }
    var unique = name
    var number = 1
    while !nodeNames.insert(unique).inserted {
      unique = Name(bytes: name.bytes + Array("_\(number)".utf8))
      number += 1
    }
    return unique
  }

  private func setFacts(of draft: OnnxNodeDraft, to node: Node, named name: Name) {
    Array(node.op.type.utf8).withBytes { type in
      Array(node.op.domain.utf8).withBytes { onnx_node_draft_set_op(draft, type, $0) }
    }
    name.bytes.withBytes { onnx_node_draft_set_name(draft, $0) }
  }

  private func setOperands(of draft: OnnxNodeDraft, to node: Node, in scope: ExportScope) {
    for input in node.inputs {
      scope[input].bytes.withBytes { onnx_node_draft_add_input(draft, $0) }
    }
    for output in node.outputs {
      scope[output].bytes.withBytes { onnx_node_draft_add_output(draft, $0) }
    }
  }

  private func addAttributes(
    of node: Node, in scope: ExportScope, to draft: OnnxNodeDraft, at path: GraphPath,
    original: OnnxNodeRef? = nil
  ) throws {
    guard node.cache == nil else {
      throw OnnxFileError(
        .internalFault, at: self.path.escapedForTerminal,
        "The cache node '\(node.name)' has to be lowered before it can be written.")
    }
    for (position, attribute) in node.attributes.enumerated() {
      try Array(attribute.name.utf8).withBytes { name in
        switch attribute.value {
        case .float(let value): onnx_node_draft_add_float(draft, name, value)
        case .int(let value): onnx_node_draft_add_int(draft, name, Int64(value))
        case .string(let value): value.withBytes { onnx_node_draft_add_string(draft, name, $0) }
        case .floats(let values):
          values.withUnsafeBufferPointer {
            onnx_node_draft_add_floats(
              draft, name, OnnxFloats(start: $0.baseAddress, count: $0.count))
          }
        case .ints(let values): values.withInts { onnx_node_draft_add_ints(draft, name, $0) }
        case .strings(let values): add(values, named: name, to: draft)
        case .tensor(let stored):
          try fill(
            onnx_node_draft_add_tensor(draft, name), with: stored,
            place: "\(self.path.escapedForTerminal): node '\(node.name)'")
        case .graph(let subgraph):
          try add(
            subgraph, in: scope, to: onnx_node_draft_add_graph(draft, name),
            at: path.appending(attribute: position))
        case .opaque(let kind):
          try copyOpaque(attribute.name, kind, of: original, to: draft)
        }
      }
    }
  }

  private func add(_ values: [[UInt8]], named name: OnnxBytes, to draft: OnnxNodeDraft) {
    let joined = values.flatMap { $0 }
    joined.withUnsafeBufferPointer { buffer in
      var start = 0
      let pieces = values.map { value in
        defer { start += value.count }
        return OnnxBytes(start: buffer.baseAddress.map { $0 + start }, count: value.count)
      }
      onnx_node_draft_add_strings(draft, name, pieces, pieces.count)
    }
  }

  private func copyOpaque(
    _ name: String, _ kind: String, of original: OnnxNodeRef?, to draft: OnnxNodeDraft
  ) throws {
    if let original {
      for position in 0..<onnx_node_attribute_count(original) {
        let attribute = onnx_node_attribute(original, position)
        guard onnx_attribute_name(attribute).holds(Array(name.utf8)) else { continue }
        onnx_node_draft_copy_attribute(draft, attribute)
        return
      }
    }
    throw OnnxFileError(
      .unsupported, at: path.escapedForTerminal,
      "The attribute '\(name)' (\(kind)) of a new node cannot be written.")
  }

  private func add(
    _ subgraph: Subgraph, in outer: ExportScope, to draft: OnnxGraphDraft, at path: GraphPath
  ) throws {
    let graph = subgraph.graph
    let scope = ExportScope(graph, captured: subgraph.captures.map { outer[$0] }, parent: outer)
    graph.name.bytes.withBytes { onnx_graph_draft_set_name(draft, $0) }
    for input in graph.inputs {
      add(scope[input], graph.type(of: input), to: OnnxValueListInput, of: draft)
    }
    for value in graph.initializerOrder {
      guard let stored = graph.initializers[value] else { continue }
      try addInitializer(stored, named: scope[value], to: draft)
    }
    for output in graph.outputs {
      add(scope[output], graph.type(of: output), to: OnnxValueListOutput, of: draft)
    }
    try addNodes(of: graph, in: scope, to: draft, at: path)
  }

  /// Appends a tensor to the initializers of a graph.
  func addInitializer(_ stored: StoredTensor, named name: Name, to draft: OnnxGraphDraft) throws {
    let tensor = onnx_graph_draft_add_initializer(draft)
    try fill(tensor, with: stored, place: "\(path.escapedForTerminal): initializer '\(name)'")
    name.bytes.withBytes { onnx_tensor_draft_set_name(tensor, $0) }
  }

  /// The location that the external data of an original tensor gets; nil when it keeps its own.
  func relocated(_ tensor: OnnxTensorRef) -> String? {
    guard !locations.isEmpty, onnx_tensor_is_external(tensor) else { return nil }
    for position in 0..<onnx_tensor_external_count(tensor) {
      let entry = onnx_tensor_external(tensor, position)
      if entry.key.text == "location" { return locations[entry.value.text] }
    }
    return nil
  }
}
