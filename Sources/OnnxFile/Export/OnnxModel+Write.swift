import COnnxShim
public import GraphIR
public import Tensors

/// How a model is written.
public struct OnnxWriteOptions: Sendable {
  /// Whether weight files are copied beside an output in another folder; else that is an error.
  public var copiesWeights = false

  /// Files of this run that the output must not replace, besides the model and its weights.
  public var otherInputs: Set<FileIdentity> = []

  /// Functions that nodes of the graph call; restoring the original removes those of the domain
  /// `ditcache`.
  public var functions: [LocalFunction] = []

  /// The usual options.
  public init() {}
}

extension OnnxModel {
  /// Writes an edited form of this model's graph.
  ///
  /// Nodes that kept their origin, operands and attributes are moved, not rebuilt, wherever they
  /// stand now, so whatever this software does not know survives. What is new stands behind the
  /// originals of its list, and an undo record in the metadata brings the original back.
  ///
  /// External data is referenced, not read: the output must lie in the folder of the model unless
  /// the options allow copying (error `output-away-from-weights`). The output appears whole or not
  /// at all, and never replaces a file that was read. Metadata keys begin with `ditcache`.
  @discardableResult
  public func write(
    _ graph: Graph, metadata: [(key: String, value: String)] = [], to path: String,
    options: OnnxWriteOptions = OnnxWriteOptions()
  ) throws(OnnxFileError) -> WrittenModel {
    try stage(graph, metadata: metadata, to: path, options: options).commit()
  }

  /// Writes an edited form of this model's graph, as `write` does, but under a temporary name.
  ///
  /// What is at `path` stays until `commit`, and for good if the result goes away without it.
  public func stage(
    _ graph: Graph, metadata: [(key: String, value: String)] = [], to path: String,
    options: OnnxWriteOptions = OnnxWriteOptions()
  ) throws(OnnxFileError) -> StagedModel {
    try reported(path) {
      guard self.metadata(UndoRecord.key) == nil else {
        throw OnnxFileError(
          .alreadyRewritten, at: self.path.escapedForTerminal, "The model was rewritten before.",
          hint: "Restore the original with 'ditcache unwrap' and rewrite that.")
      }
      do throws(GraphError) {
        try graph.verify()
      } catch {
        throw OnnxFileError(error, in: path)
      }
      let copies = try weightCopies(for: path, options: options)
      let draft = Draft(base: message)
      let exporter = GraphExporter(
        model: message, draft: draft, path: path, locations: copies?.locations ?? [:])
      var record = UndoRecord(digest: fileDigest, byteCount: fileByteCount)
      try exporter.addMain(graph, record: &record)
      addOpsets(graph.opsets, to: draft, record: &record)
      try add(options.functions, to: draft, path: path)
      for (present, original) in copies?.locations.map({ ($0.value, $0.key) }) ?? [] {
        record.locations[present] = original
      }
      record.counts[.metadata] = self.metadata.count
      for index in self.metadata.indices {
        onnx_draft_borrow_metadata(draft.reference, message.reference, index)
      }
      for (key, value) in metadata {
        guard key.hasPrefix("ditcache") else {
          throw OnnxFileError(
            .internalFault, at: path.escapedForTerminal,
            "The metadata key '\(key)' does not begin with 'ditcache'.")
        }
        draft.addMetadata(key, value)
      }
      draft.addMetadata(UndoRecord.key, record.text)
      return try stage(draft, to: path, with: copies, options: options)
    }
  }

  /// Writes the model as it was read or made.
  @discardableResult
  public func write(
    to path: String, options: OnnxWriteOptions = OnnxWriteOptions()
  ) throws(OnnxFileError) -> WrittenModel {
    try reported(path) {
      let copies = try weightCopies(for: path, options: options)
      let draft = Draft(base: message)
      let exporter = GraphExporter(
        model: message, draft: draft, path: path, locations: copies?.locations ?? [:])
      exporter.addOriginal(of: message)
      for index in metadata.indices {
        onnx_draft_borrow_metadata(draft.reference, message.reference, index)
      }
      return try publish(draft, to: path, with: copies, options: options)
    }
  }

  func publish(
    _ draft: Draft, to path: String, with copies: WeightCopies?, options: OnnxWriteOptions
  ) throws -> WrittenModel {
    try stage(draft, to: path, with: copies, options: options).commit()
  }

  private func stage(
    _ draft: Draft, to path: String, with copies: WeightCopies?, options: OnnxWriteOptions
  ) throws -> StagedModel {
    let sink = try FileSink(replacing: path, inputs: inputs.union(options.otherInputs))
    try draft.write(to: sink, path: path)
    let digest = try sink.seal()
    try copies?.publish()
    return StagedModel(path: path, digest: digest, sink: sink, copies: copies)
  }

  /// Files that no output may replace: the model and its weights.
  var inputs: Set<FileIdentity> {
    let folder = ExternalFolder.folder(of: path)
    return Set(
      [identity].compactMap { $0 }
        + weightLocations.compactMap { FileIdentity(path: "\(folder)/\($0)") })
  }

  func addOpsets(_ opsets: [String: Int], to draft: Draft, record: inout UndoRecord) {
    let count = onnx_model_opset_count(message.reference)
    record.counts[.opsets] = count
    var known: Set<String> = []
    for index in 0..<count {
      let text = onnx_model_opset_domain(message.reference, index).text
      let domain = text == "ai.onnx" ? "" : text
      known.insert(domain)
      let original = Int(onnx_model_opset_version(message.reference, index))
      guard let version = opsets[domain], version != original else { continue }
      record.opsetVersions[index] = original
      onnx_draft_set_opset_version(draft.reference, index, Int64(version))
    }
    for (domain, version) in opsets.sorted(by: { $0.key < $1.key }) where !known.contains(domain) {
      Array(domain.utf8).withBytes {
        onnx_draft_add_opset(draft.reference, $0, Int64(version))
      }
    }
  }

  func weightCopies(
    for path: String, options: OnnxWriteOptions
  ) throws -> WeightCopies? {
    let folder = ExternalFolder.folder(of: path)
    guard !files.isEmpty, !self.path.isEmpty,
      FileIdentity(path: folder) != FileIdentity(path: ExternalFolder.folder(of: self.path))
    else { return nil }
    guard options.copiesWeights else {
      throw OnnxFileError(
        .outputAwayFromWeights, at: path.escapedForTerminal,
        "The model's weights lie in '\(ExternalFolder.folder(of: self.path).escapedForTerminal)', "
          + "and runtimes look for them beside the model.",
        hint: "Write beside the weights, or pass --copy-weights.")
    }
    guard !hasExternalAttributes else {
      throw OnnxFileError(
        .unsupported, at: self.path.escapedForTerminal,
        "Some attributes have external data, which cannot be copied.",
        hint: "Write beside the weights.")
    }
    return try WeightCopies(
      of: files.map(\.file), beside: path, inputs: inputs.union(options.otherInputs))
  }
}

/// Runs `body` and turns whatever it throws into an error of this module.
func reported<Result>(
  _ path: String, _ body: () throws -> Result
) throws(OnnxFileError) -> Result {
  do {
    return try body()
  } catch let error as OnnxFileError {
    throw error
  } catch let error as FileError {
    throw OnnxFileError(error)
  } catch {
    throw OnnxFileError(.internalFault, at: path.escapedForTerminal, "\(error)")
  }
}
