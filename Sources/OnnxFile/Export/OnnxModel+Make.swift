import COnnxShim
public import GraphIR

extension OnnxModel {
  /// A new model from a graph, as if it had been read from a file; origins count as new nodes.
  ///
  /// The graph keeps the rules that `verify` checks.
  public static func make(from graph: Graph, irVersion: Int = 10) throws(OnnxFileError) -> OnnxModel
  {
    let bytes = try reported("") {
      let draft = Draft(base: nil)
      onnx_draft_set_ir_version(draft.reference, Int64(irVersion))
      Array("ditcache".utf8).withBytes { onnx_draft_set_producer(draft.reference, $0) }
      for (domain, version) in graph.opsets.sorted(by: { $0.key < $1.key }) {
        Array(domain.utf8).withBytes {
          onnx_draft_add_opset(draft.reference, $0, Int64(version))
        }
      }
      var record = UndoRecord(digest: "", byteCount: 0)
      try GraphExporter(model: nil, draft: draft, path: "").addMain(graph, record: &record)
      let sink = MemorySink()
      try draft.write(to: sink, path: "")
      return sink.bytes
    }
    return try reported("") {
      try bytes.withUnsafeBytes {
        try OnnxModel(parsing: $0, path: "", identity: nil, limits: .standard)
      }
    }
  }
}
