import COnnxShim
import GraphIR
import Tensors

/// What restoring an original gave.
public struct RestoredModel: Sendable {
  /// How the restored file compares with the original.
  public enum Outcome: String, Hashable, Sendable {
    /// It has the same bytes.
    case identical
    /// It has the same content, written in another way.
    case equivalent
  }

  /// The file.
  public let file: WrittenModel

  /// How it compares with the original.
  public let outcome: Outcome
}

extension OnnxModel {
  /// True when the model carries a record that brings its original back.
  public var isRewritten: Bool { metadata(UndoRecord.key) != nil }

  /// Writes the original of a rewritten model.
  ///
  /// The digest in the record says whether the bytes are those of the original. Weights that were
  /// copied keep their new names unless those of the original are beside the output, too.
  @discardableResult
  public func restoreOriginal(
    to path: String, options: OnnxWriteOptions = OnnxWriteOptions()
  ) throws(OnnxFileError) -> RestoredModel {
    guard let text = metadata(UndoRecord.key) else {
      throw OnnxFileError(
        .undoRecord, at: self.path.escapedForTerminal,
        "The model holds no undo record, so it was not rewritten by this software.")
    }
    guard let record = UndoRecord(text) else {
      throw OnnxFileError(
        .undoRecord, at: self.path.escapedForTerminal, "The undo record cannot be read.")
    }
    return try reported(path) {
      let draft = try OriginalDraft(model: self, record: record, path: path).make()
      let file = try publish(draft, to: path, with: nil, options: options)
      return RestoredModel(
        file: file, outcome: file.digest == record.digest ? .identical : .equivalent)
    }
  }
}

/// Puts the pieces of an original together again.
private struct OriginalDraft {
  let model: OnnxModel
  let record: UndoRecord
  let path: String

  func make() throws -> Draft {
    let draft = Draft(base: model.message)
    Array(OnnxModel.functionDomain.utf8).withBytes {
      onnx_draft_remove_functions(draft.reference, $0)
    }
    try addNodes(to: draft.graph)
    try addValues(.inputs, OnnxValueListInput, to: draft.graph)
    try addValues(.outputs, OnnxValueListOutput, to: draft.graph)
    try addValues(.values, OnnxValueListInfo, to: draft.graph)
    try addInitializers(to: draft.graph)
    try addHeader(to: draft)
    return draft
  }

  private var message: ModelMessage { model.message }

  private func count(of list: UndoRecord.List, atMost limit: Int? = nil) throws -> Int {
    let count = record.counts[list] ?? 0
    guard count <= limit ?? count else {
      throw broken("The original had \(count) \(list.rawValue), the file has only \(limit ?? 0).")
    }
    return count
  }

  private func broken(_ message: String) -> OnnxFileError {
    OnnxFileError(
      .undoRecord, at: model.path.escapedForTerminal,
      "The undo record does not fit the model. \(message)",
      hint: "The file was changed after it was rewritten; use the original.")
  }

  private func bytes(of list: UndoRecord.List) throws -> [Int: [UInt8]] {
    var pieces: [Int: [UInt8]] = [:]
    for piece in record.replaced where piece.list == list {
      guard pieces.updateValue(piece.bytes, forKey: piece.index) == nil else {
        throw broken("It gives \(list.rawValue) \(piece.index) twice.")
      }
    }
    return pieces
  }

  /// The originals that stand in the file; renamed ones get their operands back.
  private func placedNodes() throws -> [Int: (node: OnnxNodeRef, isRenamed: Bool)] {
    var found: [Int: (node: OnnxNodeRef, isRenamed: Bool)] = [:]
    for path in record.places.paths {
      let place = try graph(at: path)
      let nodeCount = onnx_graph_node_count(place)
      var position = 0
      func take(_ index: Int, isRenamed: Bool) throws {
        guard position < nodeCount else { throw broken("A graph has too few nodes.") }
        let node = onnx_graph_node(place, position)
        guard found.updateValue((node, isRenamed), forKey: index) == nil else {
          throw broken("It places node \(index) twice.")
        }
        position += 1
      }
      for run in record.places.runs[path] ?? [] {
        switch run {
        case .new(let count):
          guard count <= nodeCount - position else { throw broken("A graph has too few nodes.") }
          position += count
        case .renamed(let index):
          try take(index, isRenamed: true)
        case .originals(let range):
          for index in range { try take(index, isRenamed: false) }
        }
      }
    }
    return found
  }

  private func addNodes(to graph: OnnxGraphDraft) throws {
    let found = try placedNodes()
    let pieces = try bytes(of: .nodes)
    let count = try count(of: .nodes, atMost: found.count + pieces.count)
    for index in 0..<count {
      if let place = found[index], place.isRenamed {
        guard let bytes = record.operands[index] else {
          throw broken("The operands of node \(index) are missing.")
        }
        let scratch = Draft(base: nil)
        guard bytes.withBytes({ onnx_graph_draft_decode_node(scratch.graph, $0) }) else {
          throw broken("The operands of node \(index) cannot be decoded.")
        }
        let operands = onnx_graph_node(OnnxGraphRef(message: scratch.graph.message), 0)
        withExtendedLifetime(scratch) {
          onnx_graph_draft_copy_node(graph, place.node).setOperands(like: operands)
        }
      } else if let place = found[index] {
        onnx_graph_draft_borrow_node(graph, place.node)
      } else if let bytes = pieces[index] {
        guard bytes.withBytes({ onnx_graph_draft_decode_node(graph, $0) }) else {
          throw broken("Node \(index) cannot be decoded.")
        }
      } else {
        throw broken("Node \(index) is missing.")
      }
    }
  }

  private func graph(at path: GraphPath) throws -> OnnxGraphRef {
    var graph = message.graph
    for step in path.steps {
      guard (0..<onnx_graph_node_count(graph)).contains(step.node) else {
        throw broken("Node \(step.node) of a graph is missing.")
      }
      let node = onnx_graph_node(graph, step.node)
      guard (0..<onnx_node_attribute_count(node)).contains(step.attribute),
        case let attribute = onnx_node_attribute(node, step.attribute),
        onnx_attribute_kind(attribute) == AttributeKind.graph.rawValue
      else { throw broken("Node \(step.node) of a graph holds no graph.") }
      graph = onnx_attribute_graph(attribute)
    }
    return graph
  }

  private func addValues(
    _ list: UndoRecord.List, _ messages: OnnxValueList, to graph: OnnxGraphDraft
  ) throws {
    let pieces = try bytes(of: list)
    let limit = onnx_graph_value_count(message.graph, messages)
    for index in 0..<(try count(of: list, atMost: limit)) {
      if let bytes = pieces[index] {
        guard bytes.withBytes({ onnx_graph_draft_decode_value(graph, messages, $0) }) else {
          throw broken("Entry \(index) of \(list.rawValue) cannot be decoded.")
        }
      } else {
        onnx_graph_draft_borrow_value(
          graph, messages, onnx_graph_value(message.graph, messages, index))
      }
    }
  }

  private func addInitializers(to graph: OnnxGraphDraft) throws {
    let pieces = try bytes(of: .initializers)
    let folder = ExternalFolder.folder(of: path)
    let hasOriginals = record.locations.values.allSatisfy {
      FileIdentity(path: "\(folder)/\($0)") != nil
    }
    let exporter = GraphExporter(
      model: message, draft: Draft(base: nil), path: path,
      locations: hasOriginals ? record.locations : [:])
    if !hasOriginals || record.locations.isEmpty { try requireWeightsBeside(folder) }
    let limit = onnx_graph_initializer_count(message.graph)
    for index in 0..<(try count(of: .initializers, atMost: limit)) {
      let tensor = onnx_graph_initializer(message.graph, index)
      if let bytes = pieces[index] {
        guard bytes.withBytes({ onnx_graph_draft_decode_initializer(graph, $0) }) else {
          throw broken("Initializer \(index) cannot be decoded.")
        }
      } else if let location = exporter.relocated(tensor) {
        let copy = onnx_graph_draft_add_initializer(graph)
        onnx_tensor_draft_copy(copy, tensor)
        Array(location.utf8).withBytes { onnx_tensor_draft_set_location(copy, $0) }
      } else {
        onnx_graph_draft_borrow_initializer(graph, tensor)
      }
    }
  }

  private func requireWeightsBeside(_ folder: String) throws {
    let own = ExternalFolder.folder(of: model.path)
    guard model.weightLocations.isEmpty || FileIdentity(path: folder) == FileIdentity(path: own)
    else {
      throw OnnxFileError(
        .outputAwayFromWeights, at: path.escapedForTerminal,
        "The model's weights lie in '\(own.escapedForTerminal)', and runtimes look for them "
          + "beside the model.", hint: "Write beside the weights.")
    }
  }

  private func addHeader(to draft: Draft) throws {
    let opsets = try count(of: .opsets, atMost: onnx_model_opset_count(message.reference))
    onnx_draft_keep_opsets(draft.reference, opsets)
    for (index, version) in record.opsetVersions {
      guard (0..<opsets).contains(index) else { throw broken("Operator set \(index) is missing.") }
      onnx_draft_set_opset_version(draft.reference, index, Int64(version))
    }
    for index in 0..<(try count(of: .metadata, atMost: model.metadata.count)) {
      onnx_draft_borrow_metadata(draft.reference, message.reference, index)
    }
  }
}
