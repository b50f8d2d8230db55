import COnnxShim
import GraphIR
import Tensors

/// Turns the graphs of a parsed message into IR graphs.
///
/// Implicit reads of outer values become captures. Recursion goes only as deep as graphs nest,
/// which is limited.
struct GraphImporter {
  /// A graph being built, and the one around it.
  final class Scope {
    var graph: Graph
    let parent: Scope?
    let depth: Int

    /// The values of `parent` that the graph's captures stand for.
    var outer: [ValueID] = []

    /// The calls being inlined, innermost last; their names hide those of the graph.
    var frames: [CallFrame] = []

    init(graph: Graph, parent: Scope?) {
      self.graph = graph
      self.parent = parent
      depth = (parent?.depth ?? 0) + 1
    }

    /// The value with a name, captured from outside when it is not of this graph.
    func resolve(_ name: Name) -> ValueID? {
      if let frame = frames.last { return frame.values[name] ?? nil }
      if let value = graph.value(named: name) { return value }
      guard let parent, let value = parent.resolve(name) else { return nil }
      outer.append(value)
      return graph.addCapture(name, type: parent.graph.type(of: value))
    }

    /// True when a graph around this one has the name.
    func isShadowing(_ name: Name) -> Bool {
      var scope = parent
      while let current = scope {
        if let frame = current.frames.last { return frame.values[name] != nil }
        if current.graph.value(named: name) != nil { return true }
        scope = current.parent
      }
      return false
    }

    /// The innermost call that this graph is part of, nil outside of functions.
    var call: CallFrame? {
      var scope: Scope? = self
      while let current = scope {
        if let frame = current.frames.last { return frame }
        scope = current.parent
      }
      return nil
    }
  }

  /// A value that copies of the importer share.
  final class Box<Value> {
    var value: Value
    init(_ value: Value) { self.value = value }
  }

  let model: ModelMessage
  let path: String
  let limits: OnnxLimits
  let files: Box<ExternalFiles>

  /// Functions of the model, whose calls are inlined.
  let functions: FunctionLibrary

  /// Imports a graph; `parent` is the graph around it, nil for the main graph.
  func graph(
    _ message: OnnxGraphRef, inside parent: Scope?, opsets: [String: Int] = [:],
    place: @autoclosure () -> String
  ) throws(OnnxFileError) -> Scope {
    let place = place()
    let scope = Scope(
      graph: Graph(
        name: Name(bytes: onnx_graph_name(message).array), opsets: parent?.graph.opsets ?? opsets),
      parent: parent)
    guard scope.depth <= limits.graphDepth else {
      throw OnnxFileError(
        .overLimit, at: place, "Graphs nest deeper than \(limits.graphDepth).")
    }
    guard onnx_graph_sparse_initializer_count(message) == 0 else {
      throw OnnxFileError(.unsupported, at: place, "Sparse initializers are not supported.")
    }
    guard parent != nil || onnx_graph_value_count(message, OnnxValueListOutput) > 0 else {
      throw OnnxFileError(.malformedModel, at: place, "The graph has no outputs.")
    }
    try addInputs(of: message, to: scope, place: place)
    try addInitializers(of: message, to: scope, place: place)
    try addResults(of: message, to: scope, place: place)
    addTypes(of: message, to: scope)
    try addNodes(of: message, to: scope, place: place)
    try addOutputs(of: message, to: scope, place: place)
    return scope
  }

  private func addInputs(
    of message: OnnxGraphRef, to scope: Scope, place: String
  ) throws(OnnxFileError) {
    for position in 0..<onnx_graph_value_count(message, OnnxValueListInput) {
      let value = onnx_graph_value(message, OnnxValueListInput, position)
      let name = try newName(
        onnx_value_name(value), in: scope, place: "\(place): input \(position)")
      scope.graph.addInput(name, type: valueType(onnx_value_type(value), of: name))
    }
  }

  private func addInitializers(
    of message: OnnxGraphRef, to scope: Scope, place: String
  ) throws(OnnxFileError) {
    for position in 0..<onnx_graph_initializer_count(message) {
      let tensor = onnx_graph_initializer(message, position)
      try requireShort(onnx_tensor_name(tensor)) { "\(place): initializer \(position)" }
      let name = Name(bytes: onnx_tensor_name(tensor).array)
      let stored = try storedTensor(tensor, place: "\(place): initializer '\(name)'")
      if let input = scope.graph.value(named: name), scope.graph.initializers[input] == nil {
        scope.graph.setInitializer(stored, of: input)
        continue
      }
      let unique = try newName(
        onnx_tensor_name(tensor), in: scope, place: "\(place): initializer \(position)")
      scope.graph.addInitializer(unique, stored)
    }
  }

  private func addResults(
    of message: OnnxGraphRef, to scope: Scope, place: String
  ) throws(OnnxFileError) {
    for position in 0..<onnx_graph_node_count(message) {
      let node = onnx_graph_node(message, position)
      for output in 0..<onnx_node_output_count(node) {
        let bytes = onnx_node_output(node, output)
        guard bytes.count > 0 else { continue }
        let name = try newName(
          bytes, in: scope, place: "\(place): node \(position) (\(onnx_node_op_type(node).text))")
        _ = scope.graph.makeValue(name)
      }
    }
  }

  private func addTypes(of message: OnnxGraphRef, to scope: Scope) {
    for list in [OnnxValueListInfo, OnnxValueListOutput] {
      for position in 0..<onnx_graph_value_count(message, list) {
        let value = onnx_graph_value(message, list, position)
        let name = Name(bytes: onnx_value_name(value).array)
        guard let id = scope.graph.value(named: name), scope.graph.type(of: id) == .unknown else {
          continue
        }
        scope.graph.setType(valueType(onnx_value_type(value), of: name), of: id)
      }
    }
  }

  private func addNodes(
    of message: OnnxGraphRef, to scope: Scope, place: String
  ) throws(OnnxFileError) {
    var isComputed = [Bool](repeating: true, count: scope.graph.valueCount)
    for position in 0..<onnx_graph_node_count(message) {
      let node = onnx_graph_node(message, position)
      for output in 0..<onnx_node_output_count(node) {
        let bytes = onnx_node_output(node, output)
        guard bytes.count > 0, let value = scope.graph.value(named: Name(bytes: bytes.array))
        else { continue }
        isComputed[Int(value.index)] = false
      }
    }
    var isSorted = true
    for position in 0..<onnx_graph_node_count(message) {
      let node = try node(onnx_graph_node(message, position), at: position, in: scope, place: place)
      for value in node.uses where Int(value.index) < isComputed.count {
        if !isComputed[Int(value.index)] { isSorted = false }
      }
      for case .some(let output) in node.outputs { isComputed[Int(output.index)] = true }
      try append(node, to: scope, place: place)
    }
    if !isSorted {
      do {
        try scope.graph.sortTopologically()
      } catch {
        throw OnnxFileError(error, in: path)
      }
    }
  }

  private func addOutputs(
    of message: OnnxGraphRef, to scope: Scope, place: String
  ) throws(OnnxFileError) {
    for position in 0..<onnx_graph_value_count(message, OnnxValueListOutput) {
      let bytes = onnx_value_name(onnx_graph_value(message, OnnxValueListOutput, position))
      try requireShort(bytes) { "\(place): output \(position)" }
      let name = Name(bytes: bytes.array)
      guard !name.isEmpty, let value = scope.resolve(name) else {
        throw OnnxFileError(
          .malformedModel, at: place, "Nothing computes the graph output '\(name)'.")
      }
      scope.graph.addOutput(value)
    }
  }

  /// Refuses names that would fill every message.
  func requireShort(_ bytes: OnnxBytes, place: () -> String) throws(OnnxFileError) {
    guard bytes.count <= limits.nameByteCount else {
      throw OnnxFileError(
        .overLimit, at: place(),
        "A name has \(bytes.count) bytes, at most \(limits.nameByteCount) fit.")
    }
  }

  private func newName(
    _ bytes: OnnxBytes, in scope: Scope, place: @autoclosure () -> String
  ) throws(OnnxFileError) -> Name {
    try requireShort(bytes, place: place)
    let name = Name(bytes: bytes.array)
    guard !name.isEmpty else {
      throw OnnxFileError(.malformedModel, at: place(), "A value has no name.")
    }
    guard scope.graph.value(named: name) == nil else {
      throw OnnxFileError(.malformedModel, at: place(), "The value '\(name)' is defined twice.")
    }
    guard !scope.isShadowing(name) else {
      throw OnnxFileError(
        .malformedModel, at: place(),
        "The value '\(name)' is also defined in an enclosing graph.")
    }
    return name
  }
}
