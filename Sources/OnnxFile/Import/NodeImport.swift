import COnnxShim
import GraphIR
import Tensors

extension GraphImporter {
  /// A node whose results already stand in the graph.
  func node(
    _ message: OnnxNodeRef, at position: Int, in scope: Scope, place: String
  ) throws(OnnxFileError) -> Node {
    let words = [
      onnx_node_op_type(message), onnx_node_domain(message), onnx_node_name(message),
    ]
    for word in words { try requireShort(word) { "\(place): node \(position)" } }
    let op = OpKey(onnx_node_op_type(message).text, domain: onnx_node_domain(message).text)
    func here() -> String {
      let name = Name(bytes: onnx_node_name(message).array)
      return "\(place): node \(position) (\(op.description.escapedForTerminal) '\(name)')"
    }
    guard !op.type.isEmpty else {
      throw OnnxFileError(.malformedModel, at: here(), "The node names no operator.")
    }
    var inputs: [ValueID?] = []
    inputs.reserveCapacity(onnx_node_input_count(message))
    for input in 0..<onnx_node_input_count(message) {
      let bytes = onnx_node_input(message, input)
      guard bytes.count > 0 else {
        inputs.append(nil)
        continue
      }
      try requireShort(bytes, place: here)
      let name = Name(bytes: bytes.array)
      if scope.isAbsentArgument(name) {
        inputs.append(nil)
        continue
      }
      guard let value = scope.resolve(name) else {
        throw OnnxFileError(
          .malformedModel, at: here(), "The node reads '\(name)', which nothing defines.")
      }
      inputs.append(value)
    }
    let outputs: [ValueID?] = (0..<onnx_node_output_count(message)).map { output in
      let bytes = onnx_node_output(message, output)
      guard bytes.count > 0 else { return nil }
      let name = Name(bytes: bytes.array)
      return scope.frames.isEmpty ? scope.graph.value(named: name) : scope.resolve(name)
    }
    return Node(
      op, name: Name(bytes: onnx_node_name(message).array), inputs: inputs, outputs: outputs,
      attributes: try attributes(of: message, in: scope, place: here), scopes: scopes(of: message),
      origin: scope.parent == nil && scope.frames.isEmpty ? Origin(index: position) : nil)
  }

  private func scopes(of message: OnnxNodeRef) -> [String] {
    var key = NameScopes.key
    let value = key.withUTF8 {
      onnx_node_metadata(message, OnnxBytes(start: $0.baseAddress, count: $0.count))
    }
    return value.count > 0 ? NameScopes.parse(value.buffer) : []
  }
}
