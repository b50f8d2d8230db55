import COnnxShim
public import GraphIR

extension OnnxModel {
  /// A new model from a graph, as if it had been read from a file; origins count as new nodes.
  ///
  /// The graph keeps the rules that `verify` checks.
  public static func make(from graph: Graph, irVersion: Int = 10) throws(OnnxFileError) -> OnnxModel
  {
    try parse(try encode(graph, irVersion: irVersion))
  }

  /// The bytes of a file that holds a graph and some metadata; origins count as new nodes.
  public static func encode(
    _ graph: Graph, irVersion: Int = 10, metadata: [(key: String, value: String)] = []
  ) throws(OnnxFileError) -> [UInt8] {
    try reported("") {
      let draft = Draft(base: nil)
      onnx_draft_set_ir_version(draft.reference, Int64(irVersion))
      Array("ditcache".utf8).withBytes { onnx_draft_set_producer(draft.reference, $0) }
      for (domain, version) in graph.opsets.sorted(by: { $0.key < $1.key }) {
        Array(domain.utf8).withBytes {
          onnx_draft_add_opset(draft.reference, $0, Int64(version))
        }
      }
      for (key, value) in metadata { draft.addMetadata(key, value) }
      var record = UndoRecord(digest: "", byteCount: 0)
      try GraphExporter(model: nil, draft: draft, path: "").addMain(graph, record: &record)
      let sink = MemorySink()
      try draft.write(to: sink, path: "")
      return sink.bytes
    }
  }

  /// Reads the bytes of a file whose weights are inside.
  public static func parse(
    _ bytes: [UInt8], limits: OnnxLimits = .standard
  ) throws(OnnxFileError) -> OnnxModel {
    try reported("") {
      try bytes.withUnsafeBytes {
        try OnnxModel(parsing: $0, path: "", identity: nil, limits: limits)
      }
    }
  }
}
