import COnnxShim
import GraphIR
import Tensors

/// The functions of a model, checked before any call is inlined.
struct FunctionLibrary {
  private let functions: [OpKey: OnnxFunctionRef]
  private let reachable: [OpKey]

  /// Looks up the functions, and follows the calls from the main graph.
  ///
  /// Refuses two functions of one name, functions that call each other in a circle or deeper than
  /// `callDepth`, and calls that would make more than `nodeCount` nodes. Takes time linear in the
  /// size of the model, however many nodes inlining would make.
  init(of model: ModelMessage, limits: OnnxLimits, place: String) throws(OnnxFileError) {
    var functions: [OpKey: OnnxFunctionRef] = [:]
    for position in 0..<onnx_model_function_count(model.reference) {
      let key = OpKey(
        onnx_model_function_name(model.reference, position).text,
        domain: onnx_model_function_domain(model.reference, position).text)
      let function = onnx_model_function(model.reference, position)
      guard functions.updateValue(function, forKey: key) == nil else {
        throw OnnxFileError(
          .malformedModel, at: place,
          "The function '\(key.description.escapedForTerminal)' is defined twice.")
      }
    }
    self.functions = functions
    guard !functions.isEmpty else {
      reachable = []
      return
    }
    var walk = CallWalk(functions: functions, limits: limits, place: place)
    reachable = try walk.follow(model.graph)
  }

  /// The function that a node calls, or nil.
  subscript(_ op: OpKey) -> OnnxFunctionRef? { functions[op] }

  /// Adds the operator sets that called functions import and the model does not.
  ///
  /// Inlined nodes stand among those of the model, so a function that imports another version of a
  /// set is refused.
  func addOpsets(to opsets: inout [String: Int], place: String) throws(OnnxFileError) {
    for key in reachable {
      guard let function = functions[key] else { continue }
      for position in 0..<onnx_function_opset_count(function) {
        let text = onnx_function_opset_domain(function, position).text
        let domain = text == "ai.onnx" ? "" : text
        let version = Int(onnx_function_opset_version(function, position))
        guard let own = opsets[domain] else {
          opsets[domain] = version
          continue
        }
        guard own == version else {
          throw OnnxFileError(
            .unsupported, at: place,
            "The function '\(key.description.escapedForTerminal)' imports version \(version) of "
              + "the operator set '\(domain.escapedForTerminal)', the model version \(own).")
        }
      }
    }
  }
}

/// Counts what inlining would make, function by function, without recursion.
private struct CallWalk {
  let functions: [OpKey: OnnxFunctionRef]
  let limits: OnnxLimits
  let place: String

  private struct Size {
    var nodeCount: Int
    var depth: Int
  }

  private struct Body {
    let key: OpKey?
    let ownCount: Int
    let calls: [OpKey]
    var next = 0
  }

  private var sizes: [OpKey: Size] = [:]

  init(functions: [OpKey: OnnxFunctionRef], limits: OnnxLimits, place: String) {
    self.functions = functions
    self.limits = limits
    self.place = place
  }

  /// The functions that a graph calls, directly or not.
  mutating func follow(_ graph: OnnxGraphRef) throws(OnnxFileError) -> [OpKey] {
    var pending = [body(of: nil, nodes: Self.nodes(of: graph))]
    var open: Set<OpKey> = []
    var order: [OpKey] = []
    while var top = pending.popLast() {
      if top.next < top.calls.count {
        let call = top.calls[top.next]
        top.next += 1
        pending.append(top)
        guard sizes[call] == nil, let function = functions[call] else { continue }
        guard open.insert(call).inserted else {
          throw OnnxFileError(
            .malformedModel, at: place,
            "The function '\(call.description.escapedForTerminal)' calls itself (function cycle).")
        }
        let nodes = (0..<onnx_function_node_count(function)).map {
          onnx_function_node(function, $0)
        }
        pending.append(body(of: call, nodes: nodes))
        continue
      }
      let size = try size(of: top)
      guard let key = top.key else { break }
      sizes[key] = size
      order.append(key)
    }
    return order
  }

  private func size(of body: Body) throws(OnnxFileError) -> Size {
    var size = Size(nodeCount: body.ownCount, depth: 0)
    for call in body.calls {
      guard let inner = sizes[call] else { continue }
      let (sum, overflow) = size.nodeCount.addingReportingOverflow(inner.nodeCount)
      size.nodeCount = overflow ? .max : sum
      size.depth = max(size.depth, inner.depth + 1)
    }
    guard size.nodeCount <= limits.nodeCount else {
      throw OnnxFileError(
        .overLimit, at: place,
        "With its functions inlined the model has more than \(limits.nodeCount) nodes.")
    }
    guard size.depth <= limits.callDepth else {
      throw OnnxFileError(
        .overLimit, at: place, "Functions call one another deeper than \(limits.callDepth).")
    }
    return size
  }

  private func body(of key: OpKey?, nodes: [OnnxNodeRef]) -> Body {
    var pending = nodes
    var count = 0
    var calls: [OpKey] = []
    while let node = pending.popLast() {
      count += 1
      let op = OpKey(onnx_node_op_type(node).text, domain: onnx_node_domain(node).text)
      if functions[op] != nil { calls.append(op) }
      for position in 0..<onnx_node_attribute_count(node) {
        let attribute = onnx_node_attribute(node, position)
        guard AttributeKind(rawValue: onnx_attribute_kind(attribute)) == .graph else { continue }
        pending += Self.nodes(of: onnx_attribute_graph(attribute))
      }
    }
    return Body(key: key, ownCount: count, calls: calls)
  }

  private static func nodes(of graph: OnnxGraphRef) -> [OnnxNodeRef] {
    (0..<onnx_graph_node_count(graph)).map { onnx_graph_node(graph, $0) }
  }
}
