import COnnxShim
import GraphIR
import Tensors

/// One call of a function while its nodes are put in place of it.
struct CallFrame {
  /// The values that names of the function stand for; nil for an operand the call leaves out.
  var values: [Name: ValueID?]

  /// The attributes of the call, and the defaults of those it leaves out.
  let attributes: [String: AttributeValue]

  /// The module path of the call.
  let scopes: [String]
}

extension GraphImporter.Scope {
  /// True for a parameter of the innermost call that the call leaves out.
  func isAbsentArgument(_ name: Name) -> Bool {
    guard let frame = call, let value = frame.values[name] else { return false }
    return value == nil
  }
}

extension GraphImporter {
  /// Appends a node or, when it calls a function, the nodes of the function.
  ///
  /// Inlined nodes have no origin, so a writer that keeps them writes them out and the undo record
  /// holds the call. Depth and number of nodes were checked before.
  func append(_ node: Node, to scope: Scope, place: String) throws(OnnxFileError) {
    guard let function = functions[node.op] else {
      scope.graph.append(node)
      return
    }
    let here = "\(place): function '\(node.op.description.escapedForTerminal)'"
    let frame = try frame(of: node, function, in: scope, place: here)
    scope.frames.append(frame)
    for position in 0..<onnx_function_node_count(function) {
      var inner = try self.node(
        onnx_function_node(function, position), at: position, in: scope, place: here)
      if inner.scopes.isEmpty { inner.scopes = frame.scopes }
      try append(inner, to: scope, place: here)
    }
    scope.frames.removeLast()
    try handOver(node, function, frame, in: scope, place: here)
  }

  private func frame(
    of node: Node, _ function: OnnxFunctionRef, in scope: Scope, place: String
  ) throws(OnnxFileError) -> CallFrame {
    let inputCount = onnx_function_input_count(function)
    let outputCount = onnx_function_output_count(function)
    guard node.inputs.count <= inputCount, node.outputs.count <= outputCount else {
      throw OnnxFileError(
        .malformedModel, at: place,
        "A call has \(node.inputs.count) operands and \(node.outputs.count) results, the function "
          + "\(inputCount) and \(outputCount).")
    }
    var values: [Name: ValueID?] = [:]
    for position in 0..<inputCount {
      let name = Name(bytes: onnx_function_input(function, position).array)
      let argument = position < node.inputs.count ? node.inputs[position] : nil
      guard values.updateValue(argument, forKey: name) == nil else {
        throw OnnxFileError(.malformedModel, at: place, "The parameter '\(name)' stands twice.")
      }
    }
    var results: [Name: ValueID] = [:]
    for position in 0..<outputCount where position < node.outputs.count {
      let name = Name(bytes: onnx_function_output(function, position).array)
      if let value = node.outputs[position], results[name] == nil { results[name] = value }
    }
    let prefix = node.name.isEmpty ? Array(node.op.type.utf8) : node.name.bytes
    for position in 0..<onnx_function_node_count(function) {
      let inner = onnx_function_node(function, position)
      for output in 0..<onnx_node_output_count(inner) {
        let bytes = onnx_node_output(inner, output)
        guard bytes.count > 0 else { continue }
        let name = Name(bytes: bytes.array)
        guard values[name] == nil else {
          throw OnnxFileError(
            .malformedModel, at: place, "The value '\(name)' is defined twice.")
        }
        let made = Name(
          bytes: Array((prefix + [UInt8(ascii: "/")] + name.bytes).suffix(limits.nameByteCount)))
        values[name] = results[name] ?? scope.graph.makeValue(made)
      }
    }
    var attributes = try defaults(of: function, in: scope, place: place)
    for attribute in node.attributes { attributes[attribute.name] = attribute.value }
    return CallFrame(values: values, attributes: attributes, scopes: node.scopes)
  }

  /// Results of the call that no inner node computes: parameters handed through, and second names.
  private func handOver(
    _ node: Node, _ function: OnnxFunctionRef, _ frame: CallFrame, in scope: Scope, place: String
  ) throws(OnnxFileError) {
    for (position, output) in node.outputs.enumerated() {
      guard let output, scope.graph.producer(of: output) == nil else { continue }
      let name = Name(bytes: onnx_function_output(function, position).array)
      guard let value = frame.values[name] ?? nil, value != output else {
        throw OnnxFileError(
          .malformedModel, at: place, "Nothing computes the function's output '\(name)'.")
      }
      scope.graph.append(Node("Identity", inputs: [value], outputs: [output]))
    }
  }

  private func defaults(
    of function: OnnxFunctionRef, in scope: Scope, place: String
  ) throws(OnnxFileError) -> [String: AttributeValue] {
    let collector = DefaultCollector { (message) throws(OnnxFileError) in
      let name = onnx_attribute_name(message).text
      switch AttributeKind(rawValue: onnx_attribute_kind(message)) {
      case .float, .int, .string, .floats, .ints, .strings:
        return (name, try self.value(message, name: name, in: scope, place: { place }))
      default:
        throw OnnxFileError(
          .unsupported, at: place,
          "The default of the attribute '\(name.escapedForTerminal)' is of a kind that is not "
            + "supported.")
      }
    }
    let isReadable = onnx_function_defaults(
      function,
      { context, attribute in
        guard let context else { return }
        Unmanaged<DefaultCollector>.fromOpaque(context).takeUnretainedValue().take(attribute)
      }, Unmanaged.passUnretained(collector).toOpaque())
    return try withExtendedLifetime(collector) { () throws(OnnxFileError) in
      if let failure = collector.failure { throw failure }
      guard isReadable else {
        throw OnnxFileError(.malformedModel, at: place, "A default of the function is malformed.")
      }
      return collector.values
    }
  }
}

/// Takes the defaults of a function from the shim.
private final class DefaultCollector {
  private(set) var values: [String: AttributeValue] = [:]
  private(set) var failure: OnnxFileError?
  private let read: (OnnxAttributeRef) throws(OnnxFileError) -> (String, AttributeValue)

  init(_ read: @escaping (OnnxAttributeRef) throws(OnnxFileError) -> (String, AttributeValue)) {
    self.read = read
  }

  func take(_ attribute: OnnxAttributeRef) {
    do throws(OnnxFileError) {
      let (name, value) = try read(attribute)
      values[name] = value
    } catch {
      failure = failure ?? error
    }
  }
}
