import COnnxShim
public import GraphIR
import Tensors

/// One of several graphs, made of pieces of one model, that are written together.
public struct OnnxPart: Sendable {
  /// The name of its file in the folder.
  public let fileName: String
  /// The graph.
  public let graph: Graph
  /// Metadata; keys begin with `ditcache`.
  public let metadata: [(key: String, value: String)]

  /// A part.
  public init(fileName: String, graph: Graph, metadata: [(key: String, value: String)]) {
    self.fileName = fileName
    self.graph = graph
    self.metadata = metadata
  }
}

extension OnnxModel {
  /// The file that weights from inside the model go to when parts are written.
  public static let sharedWeightsName = "weights.bin"

  /// Writes several graphs made of pieces of this model into a folder.
  ///
  /// No weight is written twice. Those that lie outside the model are referenced, so the folder is
  /// that of the model unless the options allow copying (error `output-away-from-weights`); those
  /// inside go to one file, `sharedWeightsName`, small ones excepted. The text is written last: who
  /// finds it finds everything. On failure nothing new remains. There is no undo record.
  ///
  /// - Parameters:
  ///   - parts: the graphs
  ///   - text: a further file, such as a manifest
  ///   - folder: a folder that exists
  ///   - options: what may be copied and must not be replaced
  /// - Returns: the parts' files in order
  /// - Throws: `OnnxFileError`; the codes are those of writing one file
  @discardableResult
  public func write(
    _ parts: [OnnxPart], text: (fileName: String, content: String), in folder: String,
    options: OnnxWriteOptions = OnnxWriteOptions()
  ) throws(OnnxFileError) -> [WrittenModel] {
    try reported(folder) {
      for part in parts {
        do throws(GraphError) {
          try part.graph.verify()
        } catch {
          throw OnnxFileError(error, in: part.fileName)
        }
      }
      let copies = try weightCopies(for: "\(folder)/weights", options: options)
      let weights = try SharedWeights(
        of: parts.map(\.graph), location: Self.sharedWeightsName, path: folder)
      let inputs = inputs.union(options.otherInputs)
      var sinks: [FileSink] = []
      func open(_ name: String) throws -> FileSink {
        let sink = try FileSink(replacing: "\(folder)/\(name)", inputs: inputs)
        sinks.append(sink)
        return sink
      }
      if !weights.isEmpty {
        let sink = try open(weights.location)
        try weights.write(to: sink)
        _ = try sink.seal()
      }
      var written: [WrittenModel] = []
      for part in parts {
        let path = "\(folder)/\(part.fileName)"
        let sink = try open(part.fileName)
        try draft(of: part, path: path, weights: weights, locations: copies?.locations ?? [:])
          .write(to: sink, path: path)
        let digest = try sink.seal()
        written.append(WrittenModel(path: path, digest: digest, byteCount: sink.byteCount))
      }
      let last = try open(text.fileName)
      _ = Array(text.content.utf8).withUnsafeBytes { last.take($0) }
      if let failure = last.failure { throw failure }
      _ = try last.seal()
      try copies?.publish()
      try Self.commit(sinks) { copies?.withdraw() }
      return written
    }
  }

  private func draft(
    of part: OnnxPart, path: String, weights: SharedWeights, locations: [String: String]
  ) throws -> Draft {
    let draft = Draft(base: message)
    let exporter = GraphExporter(model: message, draft: draft, path: path, locations: locations)
    try exporter.addPart(part.graph, weights: weights)
    var record = UndoRecord(digest: fileDigest, byteCount: fileByteCount)
    addOpsets(part.graph.opsets, to: draft, record: &record)
    for index in metadata.indices {
      onnx_draft_borrow_metadata(draft.reference, message.reference, index)
    }
    for (key, value) in part.metadata { draft.addMetadata(key, value) }
    return draft
  }

  /// Gives all files their names; when one fails, those that have theirs go away again.
  private static func commit(_ sinks: [FileSink], onFailure undo: () -> Void) throws {
    for (position, sink) in sinks.enumerated() {
      do {
        try sink.commit()
      } catch {
        for done in sinks[..<position] { done.withdraw() }
        undo()
        throw error
      }
    }
  }
}
