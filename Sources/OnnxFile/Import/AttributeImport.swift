import COnnxShim
import GraphIR
import Tensors

extension GraphImporter {
  /// The attributes of a node; graphs among them become subgraphs of `scope`.
  func attributes(
    of node: OnnxNodeRef, in scope: Scope, place: () -> String
  ) throws(OnnxFileError) -> [Attribute] {
    let count = onnx_node_attribute_count(node)
    guard count > 0 else { return [] }
    guard count <= limits.attributeCount else {
      throw OnnxFileError(
        .overLimit, at: place(),
        "The node has \(count) attributes, at most "
          + "\(limits.attributeCount) fit.")
    }
    var attributes: [Attribute] = []
    attributes.reserveCapacity(count)
    for position in 0..<count {
      let message = onnx_node_attribute(node, position)
      try requireShort(onnx_attribute_name(message), place: place)
      let name = onnx_attribute_name(message).text
      guard !attributes.contains(where: { $0.name == name }) else {
        throw OnnxFileError(
          .malformedModel, at: place(),
          "The attribute '\(name.escapedForTerminal)' is given twice.")
      }
      if onnx_attribute_is_reference(message) {
        let reference = onnx_attribute_reference(message).text
        if let value = try argument(reference, named: name, in: scope, place: place) {
          attributes.append(Attribute(name, value))
        }
        continue
      }
      attributes.append(
        Attribute(name, try value(message, name: name, in: scope, place: place)))
    }
    return attributes
  }

  /// What a call gives for an attribute of its function; nil when it gives nothing.
  private func argument(
    _ reference: String, named name: String, in scope: Scope, place: () -> String
  ) throws(OnnxFileError) -> AttributeValue? {
    guard let call = scope.call else {
      throw OnnxFileError(
        .malformedModel, at: place(),
        "The attribute '\(name.escapedForTerminal)' refers to a function, but there is none here.")
    }
    if case .graph? = call.attributes[reference] {
      throw OnnxFileError(
        .unsupported, at: place(),
        "The attribute '\(name.escapedForTerminal)' is a graph that a call hands over.")
    }
    return call.attributes[reference]
  }

  func value(
    _ message: OnnxAttributeRef, name: String, in scope: Scope, place: () -> String
  ) throws(OnnxFileError) -> AttributeValue {
    switch AttributeKind(rawValue: onnx_attribute_kind(message)) {
    case .float: return .float(onnx_attribute_float(message))
    case .int: return .int(Int(onnx_attribute_int(message)))
    case .string: return .string(onnx_attribute_string(message).array)
    case .floats: return .floats(onnx_attribute_floats(message).array)
    case .ints: return .ints(onnx_attribute_ints(message).array)
    case .strings:
      return .strings(
        (0..<onnx_attribute_string_count(message)).map {
          onnx_attribute_string_at(message, $0).array
        })
    case .tensor:
      let tensor = try storedTensor(
        onnx_attribute_tensor(message),
        place: "\(place()), attribute '\(name.escapedForTerminal)'")
      if tensor.source is ExternalTensor { files.value.areUsedByAttributes = true }
      return .tensor(tensor)
    case .graph:
      let inner = try graph(
        onnx_attribute_graph(message), inside: scope,
        place: "\(place()), attribute '\(name.escapedForTerminal)'")
      return .graph(Subgraph(graph: inner.graph, captures: inner.outer))
    case .graphs:
      throw OnnxFileError(.unsupported, at: place(), "Lists of graphs are not supported.")
    case .tensors, .sparseTensor, .sparseTensors, .type, .types:
      return .opaque("kind \(onnx_attribute_kind(message))")
    case nil:
      return .opaque("unknown kind \(onnx_attribute_kind(message))")
    }
  }
}

/// The kinds of attributes (onnx.proto, AttributeProto.AttributeType).
enum AttributeKind: Int32 {
  case float = 1
  case int = 2
  case string = 3
  case tensor = 4
  case graph = 5
  case floats = 6
  case ints = 7
  case strings = 8
  case tensors = 9
  case graphs = 10
  case sparseTensor = 11
  case sparseTensors = 12
  case type = 13
  case types = 14
}
