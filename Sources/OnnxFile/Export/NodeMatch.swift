import COnnxShim
import GraphIR

/// Compares IR nodes with the messages they came from, to know what may be borrowed.
struct NodeMatch {
  let model: ModelMessage

  /// True when the message reads and writes the names that the node has in `scope`.
  func hasSameOperands(_ node: Node, _ message: OnnxNodeRef, in scope: ExportScope) -> Bool {
    onnx_node_input_count(message) == node.inputs.count
      && onnx_node_output_count(message) == node.outputs.count
      && node.inputs.indices.allSatisfy {
        onnx_node_input(message, $0).holds(scope[node.inputs[$0]].bytes)
      }
      && node.outputs.indices.allSatisfy {
        onnx_node_output(message, $0).holds(scope[node.outputs[$0]].bytes)
      }
  }

  /// True when operator, name and attributes are those of the message.
  func hasSameFacts(_ node: Node, _ message: OnnxNodeRef, in scope: ExportScope) -> Bool {
    let op = OpKey(onnx_node_op_type(message).text, domain: onnx_node_domain(message).text)
    return node.op == op && node.cache == nil
      && onnx_node_name(message).holds(node.name.bytes)
      && onnx_node_attribute_count(message) == node.attributes.count
      && node.attributes.indices.allSatisfy {
        isSame(node.attributes[$0], onnx_node_attribute(message, $0), in: scope)
      }
  }

  private func isSame(
    _ attribute: Attribute, _ message: OnnxAttributeRef, in scope: ExportScope
  ) -> Bool {
    guard onnx_attribute_name(message).holds(Array(attribute.name.utf8)) else { return false }
    let kind = AttributeKind(rawValue: onnx_attribute_kind(message))
    switch (attribute.value, kind) {
    case (.float(let value), .float):
      return value.bitPattern == onnx_attribute_float(message).bitPattern
    case (.int(let value), .int):
      return value == Int(onnx_attribute_int(message))
    case (.string(let value), .string):
      return onnx_attribute_string(message).holds(value)
    case (.floats(let values), .floats):
      return values.map(\.bitPattern) == onnx_attribute_floats(message).array.map(\.bitPattern)
    case (.ints(let values), .ints):
      return values == onnx_attribute_ints(message).array
    case (.strings(let values), .strings):
      return onnx_attribute_string_count(message) == values.count
        && values.indices.allSatisfy {
          onnx_attribute_string_at(message, $0).holds(values[$0])
        }
    case (.tensor(let stored), .tensor):
      return isSame(stored, onnx_attribute_tensor(message))
    case (.graph(let subgraph), .graph):
      return isSame(subgraph, onnx_attribute_graph(message), in: scope)
    case (.opaque, .tensors), (.opaque, .sparseTensor), (.opaque, .sparseTensors),
      (.opaque, .type), (.opaque, .types), (.opaque, nil):
      return true
    default:
      return false
    }
  }

  /// True when a tensor is the one of the message, not merely equal to it.
  func isSame(_ stored: StoredTensor, _ message: OnnxTensorRef) -> Bool {
    guard let source = stored.source as? any MessageTensor else { return false }
    return source.model === model && source.reference.tensor.message == message.message
  }

  private func isSame(_ subgraph: Subgraph, _ message: OnnxGraphRef, in outer: ExportScope) -> Bool
  {
    let graph = subgraph.graph
    let scope = ExportScope(graph, captured: subgraph.captures.map { outer[$0] }, parent: outer)
    let initializers = graph.initializerOrder
    return onnx_graph_node_count(message) == graph.order.count
      && onnx_graph_initializer_count(message) == initializers.count
      && isSame(graph.inputs, OnnxValueListInput, of: message, in: scope)
      && isSame(graph.outputs, OnnxValueListOutput, of: message, in: scope)
      && initializers.indices.allSatisfy { position in
        let tensor = onnx_graph_initializer(message, position)
        guard let stored = graph.initializers[initializers[position]] else { return false }
        return isSame(stored, tensor)
          && onnx_tensor_name(tensor).holds(scope[initializers[position]].bytes)
      }
      && graph.order.indices.allSatisfy { position in
        let node = graph[graph.order[position]]
        let inner = onnx_graph_node(message, position)
        return hasSameOperands(node, inner, in: scope) && hasSameFacts(node, inner, in: scope)
      }
  }

  private func isSame(
    _ values: [ValueID], _ list: OnnxValueList, of message: OnnxGraphRef, in scope: ExportScope
  ) -> Bool {
    onnx_graph_value_count(message, list) == values.count
      && values.indices.allSatisfy {
        onnx_value_name(onnx_graph_value(message, list, $0)).holds(scope[values[$0]].bytes)
      }
  }
}

extension OnnxBytes {
  /// True when these are exactly the given bytes.
  func holds(_ bytes: [UInt8]) -> Bool {
    count == bytes.count && buffer.elementsEqual(bytes)
  }
}
