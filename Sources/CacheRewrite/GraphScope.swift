import GraphIR
import ScheduleLanguage
import Tensors

/// A value that an expression was lowered to.
struct Operand {
  enum Kind: Hashable { case boolean, integer, number, tensor }

  var value: ValueID
  var kind: Kind
  /// The type of a tensor.
  var type = TensorType(nil, nil)

  /// The element type.
  var dataType: DataType {
    switch kind {
    case .boolean: .bool
    case .integer: .int64
    case .number: .float32
    case .tensor: type.dataType ?? .float32
    }
  }

  /// The type as a graph has it.
  var valueType: ValueType {
    kind == .tensor ? .tensor(type) : .tensor(dataType, [])
  }
}

/// A subgraph under construction that captures outer values as they are asked for.
final class GraphScope {
  var graph: Graph
  /// What expressions were lowered to already.
  var known: [Expression: Operand] = [:]
  /// What was made of attention for the tokens of all streams.
  var attention: [Expression.SiteValue: Operand] = [:]
  /// Whether the slots are known to hold something where this scope runs.
  let isReady: Bool
  private let root: Graph?
  private let parent: GraphScope?
  private var captured: [ValueID] = []
  private var mapping: [ValueID: ValueID] = [:]

  /// A subgraph of the main graph.
  init(name: Name, of root: Graph, isReady: Bool = false) {
    graph = Graph(name: name, opsets: root.opsets)
    self.root = root
    parent = nil
    self.isReady = isReady
  }

  /// A subgraph of a subgraph.
  init(inside parent: GraphScope, isReady: Bool) {
    graph = Graph(name: parent.graph.name, opsets: parent.graph.opsets)
    root = nil
    self.parent = parent
    self.isReady = isReady || parent.isReady
  }

  /// The finished subgraph.
  var subgraph: Subgraph { Subgraph(graph: graph, captures: captured) }

  /// The value that stands here for one of the main graph.
  func outer(_ value: ValueID) -> ValueID {
    inner(parent?.outer(value) ?? value)
  }

  /// The value that stands here for one of the enclosing graph.
  func inner(_ value: ValueID) -> ValueID {
    if let known = mapping[value] { return known }
    let enclosing = parent?.graph ?? root ?? graph
    let capture = graph.addCapture(enclosing.name(of: value), type: enclosing.type(of: value))
    captured.append(value)
    mapping[value] = capture
    return capture
  }

  /// What an expression was lowered to here or further out.
  func operand(of expression: Expression) -> Operand? {
    if let operand = known[expression] { return operand }
    guard var operand = parent?.operand(of: expression) else { return nil }
    operand.value = inner(operand.value)
    known[expression] = operand
    return operand
  }

  /// Copies a node of the main graph; results keep their names unless `rename` says otherwise.
  func move(_ node: Node, from outerGraph: Graph, rename: (ValueID) -> Name?) {
    var node = node
    var operands: [ValueID: ValueID] = [:]
    for value in node.uses { operands[value] = inner(value) }
    node.mapUses { operands[$0] ?? $0 }
    node.outputs = node.outputs.map { value in
      guard let value else { return nil }
      let result = graph.makeValue(
        rename(value) ?? outerGraph.name(of: value), type: outerGraph.type(of: value))
      mapping[value] = result
      return result
    }
    graph.append(node)
  }

  /// Makes a value the next output; a captured value goes through an Identity.
  func addOutput(_ value: ValueID, name: Name) {
    let isOwn = graph.producer(of: value) != nil && !graph.outputs.contains(value)
    graph.addOutput(
      isOwn
        ? value : graph.emit("Identity", [value], name: name, type: graph.type(of: value)))
  }

  /// One number for each token of a value.
  func firstChannel(of value: ValueID) -> ValueID {
    let bounds = [0, 1, -1].map { number in
      graph.constant([Int64(number)], shape: .vector(1))
    }
    var type = graph.tensorType(of: value) ?? TensorType(nil, nil)
    type.shape = type.shape.map { $0.dropLast() + [1] }
    return emit("Slice", [value] + bounds, .tensor(type))
  }

  /// A name for a size that is known only when the graph runs.
  func symbol(_ what: String) -> String {
    let place = graph.name.text.map { $0.isLetter || $0.isNumber ? $0 : "_" }
    return "ditcache_\(String(place))_\(what)_\(graph.order.count)"
  }

  func emit(_ op: OpKey, _ inputs: [ValueID?], _ type: ValueType) -> ValueID {
    graph.emit(op, inputs, type: type)
  }

  func emit(
    _ op: OpKey, _ inputs: [ValueID?], _ attributes: [Attribute], _ type: ValueType
  ) -> ValueID {
    graph.emit(op, inputs, attributes, type: type)
  }

  func cast(_ value: ValueID, to dataType: DataType) -> ValueID {
    let type = graph.tensorType(of: value)
    if type?.dataType == dataType { return value }
    return emit(
      "Cast", [value], [Attribute("to", .int(Int(dataType.rawValue)))],
      .tensor(dataType, type?.shape))
  }
}

extension GraphScope {
  /// What a slot without an update becomes here; nil where it can be handed on, since it is known to
  /// hold something.
  func asHeld(_ slot: ScheduleLanguage.Slot) -> Expression? {
    isReady ? nil : .slot(slot.name)
  }
}
