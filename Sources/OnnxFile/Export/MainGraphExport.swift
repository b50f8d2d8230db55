import COnnxShim
import GraphIR
import Tensors

extension GraphExporter {
  /// Writes the main graph: originals of every list first, then what is new.
  ///
  /// Fills the record with what cannot be found in the written file.
  func addMain(_ graph: Graph, record: inout UndoRecord) throws {
    let scope = ExportScope(graph)
    let target = draft.graph
    if model == nil { graph.name.bytes.withBytes { onnx_graph_draft_set_name(target, $0) } }
    if model != nil { reserveNodeNames(of: graph) }
    try addNodes(of: graph, in: scope, to: target, at: .main)
    try addInitializers(of: graph, in: scope, to: target, record: &record)
    let live = liveTypes(of: graph, in: scope)
    addInputs(of: graph, in: scope, to: target, record: &record)
    addOutputs(of: graph, in: scope, live: live, to: target, record: &record)
    addInfos(live: live, to: target, record: &record)
    guard let model else { return }
    record.counts[.nodes] = Int(onnx_graph_node_count(model.graph))
    for index in changedNodes {
      record.replaced.append(
        .init(list: .nodes, index: index, bytes: onnx_graph_node(model.graph, index).encoded))
    }
    record.places = places
    record.operands = operands
  }

  /// Writes the main graph as the message has it, calls of functions included.
  func addOriginal(of model: ModelMessage) {
    let target = draft.graph
    for index in 0..<onnx_graph_node_count(model.graph) {
      onnx_graph_draft_borrow_node(target, onnx_graph_node(model.graph, index))
    }
    for index in 0..<onnx_graph_initializer_count(model.graph) {
      borrowInitializer(onnx_graph_initializer(model.graph, index), to: target)
    }
    for list in [OnnxValueListInput, OnnxValueListOutput, OnnxValueListInfo] {
      _ = borrowAll(list, to: target)
    }
  }

  /// Takes over an initializer; only the location of external data may become another.
  private func borrowInitializer(_ message: OnnxTensorRef, to target: OnnxGraphDraft) {
    guard let location = relocated(message) else {
      return onnx_graph_draft_borrow_initializer(target, message)
    }
    let copy = onnx_graph_draft_add_initializer(target)
    onnx_tensor_draft_copy(copy, message)
    Array(location.utf8).withBytes { onnx_tensor_draft_set_location(copy, $0) }
  }

  private func addInitializers(
    of graph: Graph, in scope: ExportScope, to target: OnnxGraphDraft, record: inout UndoRecord
  ) throws {
    var originals: Set<Name> = []
    let count = model.map { onnx_graph_initializer_count($0.graph) } ?? 0
    record.counts[.initializers] = count
    for index in 0..<count {
      guard let model else { break }
      let message = onnx_graph_initializer(model.graph, index)
      let name = Name(bytes: onnx_tensor_name(message).array)
      originals.insert(name)
      let stored = graph.value(named: name).flatMap { graph.initializers[$0] }
      if let stored, !NodeMatch(model: model).isSame(stored, message) {
        record.replaced.append(.init(list: .initializers, index: index, bytes: message.encoded))
        try addInitializer(stored, named: name, to: target)
      } else {
        borrowInitializer(message, to: target)
      }
    }
    for value in graph.initializerOrder where !originals.contains(scope[value]) {
      guard let stored = graph.initializers[value] else { continue }
      try addInitializer(stored, named: scope[value], to: target)
    }
  }

  private func addInputs(
    of graph: Graph, in scope: ExportScope, to target: OnnxGraphDraft, record: inout UndoRecord
  ) {
    let count = borrowAll(OnnxValueListInput, to: target)
    record.counts[.inputs] = count
    for value in graph.inputs.dropFirst(count) {
      add(scope[value], graph.type(of: value), to: OnnxValueListInput, of: target)
    }
  }

  private func addOutputs(
    of graph: Graph, in scope: ExportScope, live: [Name: ValueType], to target: OnnxGraphDraft,
    record: inout UndoRecord
  ) {
    let count = model.map { onnx_graph_value_count($0.graph, OnnxValueListOutput) } ?? 0
    record.counts[.outputs] = count
    for (position, value) in graph.outputs.enumerated() {
      guard let model, position < count else {
        add(scope[value], graph.type(of: value), to: OnnxValueListOutput, of: target)
        continue
      }
      let message = onnx_graph_value(model.graph, OnnxValueListOutput, position)
      if onnx_value_name(message).holds(scope[value].bytes),
        !contradicts(graph.type(of: value), message)
      {
        onnx_graph_draft_borrow_value(target, OnnxValueListOutput, message)
        continue
      }
      record.replaced.append(.init(list: .outputs, index: position, bytes: message.encoded))
      add(scope[value], graph.type(of: value), to: OnnxValueListOutput, of: target)
    }
  }

  /// Statements about types stay unless they became wrong.
  private func addInfos(
    live: [Name: ValueType], to target: OnnxGraphDraft, record: inout UndoRecord
  ) {
    let count = model.map { onnx_graph_value_count($0.graph, OnnxValueListInfo) } ?? 0
    record.counts[.values] = count
    for index in 0..<count {
      guard let model else { break }
      let message = onnx_graph_value(model.graph, OnnxValueListInfo, index)
      let name = Name(bytes: onnx_value_name(message).array)
      guard let type = live[name], contradicts(type, message) else {
        onnx_graph_draft_borrow_value(target, OnnxValueListInfo, message)
        continue
      }
      record.replaced.append(.init(list: .values, index: index, bytes: message.encoded))
      add(name, type, to: OnnxValueListInfo, of: target)
    }
  }

  private func borrowAll(_ list: OnnxValueList, to target: OnnxGraphDraft) -> Int {
    guard let model else { return 0 }
    let count = onnx_graph_value_count(model.graph, list)
    for index in 0..<count {
      onnx_graph_draft_borrow_value(target, list, onnx_graph_value(model.graph, list, index))
    }
    return count
  }

  private func liveTypes(of graph: Graph, in scope: ExportScope) -> [Name: ValueType] {
    var types: [Name: ValueType] = [:]
    types.reserveCapacity(graph.valueCount)
    for value in graph.inputs { types[scope[value]] = graph.type(of: value) }
    for id in graph.order {
      for case .some(let value) in graph[id].outputs {
        types[scope[value]] = graph.type(of: value)
      }
    }
    return types
  }

  /// True when a known fact of a type differs from what the message says.
  private func contradicts(_ type: ValueType, _ message: OnnxValueInfoRef) -> Bool {
    let stated = onnx_value_type(message)
    guard let tensor = type.tensor, onnx_type_kind(stated) == OnnxTypeKindTensor else {
      return false
    }
    let element = onnx_type_tensor_element(stated)
    if let dataType = tensor.dataType, element != 0, dataType.rawValue != element { return true }
    guard let shape = tensor.shape, onnx_type_has_shape(stated) else { return false }
    guard shape.count == onnx_type_rank(stated) else { return true }
    return shape.indices.contains { axis in
      let dimension = onnx_type_dimension(stated, axis)
      guard let size = shape[axis].value, dimension.hasValue else { return false }
      return dimension.value >= 0 && dimension.value != Int64(size)
    }
  }
}
