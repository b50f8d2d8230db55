import COnnxShim
import GraphIR
import Tensors

extension OnnxModel {
  /// The domain of functions that a rewrite adds.
  static let functionDomain = "ditcache"

  /// The version of the file format that has functions (onnx.proto, IR_VERSION history).
  private static let functionVersion = 8

  /// Adds functions behind those of the model.
  func add(_ functions: [LocalFunction], to draft: Draft, path: String) throws {
    guard !functions.isEmpty else { return }
    guard irVersion >= Self.functionVersion else {
      throw OnnxFileError(
        .unsupported, at: self.path.escapedForTerminal,
        "The file has format version \(irVersion); functions came with \(Self.functionVersion).",
        hint: "Write the form 'if', or export the model again.")
    }
    for function in functions {
      let scratch = Draft(base: nil)
      let exporter = GraphExporter(model: nil, draft: scratch, path: path)
      try exporter.addFunctionBody(function.body)
      Array(function.op.domain.utf8).withBytes { domain in
        Array(function.op.type.utf8).withBytes { name in
          onnx_draft_add_function(
            draft.reference, domain, name, OnnxGraphRef(message: scratch.graph.message))
        }
      }
      for (domain, version) in function.body.opsets.sorted(by: { $0.key < $1.key }) {
        Array(domain.utf8).withBytes {
          onnx_draft_add_function_opset(draft.reference, $0, Int64(version))
        }
      }
      withExtendedLifetime(scratch) {}
    }
  }
}

extension GraphExporter {
  /// Writes the nodes of a function, and its operands and results by name.
  func addFunctionBody(_ body: Graph) throws {
    let scope = ExportScope(body)
    try addNodes(of: body, in: scope, to: draft.graph, at: .main)
    for value in body.inputs {
      add(scope[value], .unknown, to: OnnxValueListInput, of: draft.graph)
    }
    for value in body.outputs {
      add(scope[value], .unknown, to: OnnxValueListOutput, of: draft.graph)
    }
  }
}
