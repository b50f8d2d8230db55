import COnnxShim
import GraphIR
import Tensors

extension GraphExporter {
  /// Fills a tensor message: a copy of the message a tensor came from, else its elements.
  func fill(_ draft: OnnxTensorDraft, with stored: StoredTensor, place: String) throws {
    if let source = stored.source as? any MessageTensor,
      source.model === model || source is InlineTensor
    {
      onnx_tensor_draft_copy(draft, source.reference.tensor)
      if let location = relocated(source.reference.tensor) {
        Array(location.utf8).withBytes { onnx_tensor_draft_set_location(draft, $0) }
      }
      return
    }
    guard stored.dataType != .string else {
      throw OnnxFileError(.unsupported, at: place, "New tensors of strings cannot be written.")
    }
    let tensor = try stored.load().contiguous()
    withExtendedLifetime(tensor) {
      let elements = OnnxBytes(
        start: UnsafePointer(tensor.base.assumingMemoryBound(to: UInt8.self)),
        count: tensor.byteCount)
      tensor.shape.dimensions.withInts {
        onnx_tensor_draft_set(draft, tensor.dataType.rawValue, $0, elements)
      }
    }
  }

  /// Appends a name and what is known of its type to a list of a graph.
  func add(_ name: Name, _ type: ValueType, to list: OnnxValueList, of graph: OnnxGraphDraft) {
    let draft = onnx_graph_draft_add_value(graph, list)
    name.bytes.withBytes { onnx_value_draft_set_name(draft, $0) }
    if type != .unknown { fill(onnx_value_draft_type(draft), with: type) }
  }

  func fill(_ draft: OnnxTypeDraft, with type: ValueType) {
    switch type {
    case .unknown:
      return
    case .sequence(let element):
      fill(onnx_type_draft_set_sequence(draft), with: element)
    case .optional(let element):
      fill(onnx_type_draft_set_optional(draft), with: element)
    case .tensor(let tensor):
      onnx_type_draft_set_tensor(draft, tensor.dataType?.rawValue ?? 0)
      guard let shape = tensor.shape else { return }
      onnx_type_draft_set_shape(draft)
      for dimension in shape {
        Array((dimension.value == nil ? dimension.description : "").utf8).withBytes {
          onnx_type_draft_add_dimension(
            draft,
            OnnxDimension(
              hasValue: dimension.value != nil, value: Int64(dimension.value ?? 0), symbol: $0))
        }
      }
    }
  }
}
