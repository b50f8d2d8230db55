import COnnxShim

extension OnnxNodeRef {
  /// The whole message.
  var encoded: [UInt8] {
    [UInt8](unsafeUninitializedCapacity: onnx_node_byte_count(self)) { buffer, count in
      count = onnx_node_encode(self, buffer.baseAddress) ? buffer.count : 0
    }
  }

  /// A message of nothing but the operands.
  var encodedOperands: [UInt8] {
    let draft = Draft(base: nil)
    return withExtendedLifetime(draft) {
      let node = onnx_graph_draft_add_node(draft.graph)
      node.setOperands(like: self)
      return OnnxNodeRef(message: node.message).encoded
    }
  }
}

extension OnnxTensorRef {
  var encoded: [UInt8] {
    [UInt8](unsafeUninitializedCapacity: onnx_tensor_byte_count(self)) { buffer, count in
      count = onnx_tensor_encode(self, buffer.baseAddress) ? buffer.count : 0
    }
  }
}

extension OnnxValueInfoRef {
  var encoded: [UInt8] {
    [UInt8](unsafeUninitializedCapacity: onnx_value_byte_count(self)) { buffer, count in
      count = onnx_value_encode(self, buffer.baseAddress) ? buffer.count : 0
    }
  }
}

extension OnnxNodeDraft {
  /// Gives the node the operands of another.
  func setOperands(like other: OnnxNodeRef) {
    onnx_node_draft_clear_operands(self)
    for position in 0..<onnx_node_input_count(other) {
      onnx_node_draft_add_input(self, onnx_node_input(other, position))
    }
    for position in 0..<onnx_node_output_count(other) {
      onnx_node_draft_add_output(self, onnx_node_output(other, position))
    }
  }
}
