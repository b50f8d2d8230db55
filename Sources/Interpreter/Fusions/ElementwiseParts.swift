import GraphIR
import Operators
import Rewrite
import Tensors

/// The nodes of a graph that may be steps of a chain, and which of them belong together.
struct ElementwiseParts {
  /// A node that computes its result element by element, from operands that differ from run to run.
  struct Part {
    let function: ElementwiseFunction
    /// The result's type.
    let type: DataType
    let shape: Shape
    let stepCount: Int
  }

  /// The elements of a result from which on it matters for how long memory is kept.
  private static let heavyCount = 1 << 14

  let uses: UseIndex
  private let graph: Graph
  private let positions: [Int]
  private var parts: [Part?]
  private var refusals: [NodeID: String] = [:]
  private var isConstant: [Bool]
  /// How many nodes before each position have large results.
  private var heavyBefore: [Int] = [0]

  init(
    of graph: Graph, _ operators: OperatorTable, _ constant: (ValueID) -> Tensor?
  ) {
    self.graph = graph
    uses = UseIndex(graph)
    positions = graph.orderPositions()
    parts = [Part?](repeating: nil, count: graph.nodeCapacity)
    isConstant = [Bool](repeating: false, count: graph.valueCount)
    for value in graph.initializerOrder { isConstant[Int(value.index)] = true }
    for value in graph.inputs { isConstant[Int(value.index)] = false }
    for id in graph.order {
      let node = graph[id]
      let results = node.outputs.compactMap { $0 }
      let isFolded =
        node.uses.allSatisfy { isConstant[Int($0.index)] }
        || results.allSatisfy { constant($0) != nil }
      heavyBefore.append(heavyBefore[heavyBefore.count - 1] + (!isFolded && isHeavy(node) ? 1 : 0))
      guard !isFolded else {
        for value in results { isConstant[Int(value.index)] = true }
        continue
      }
      guard let function = operators.elementwiseFunction(of: node, in: graph) else { continue }
      do throws(MatchFailure) {
        parts[Int(id.index)] = try part(node, function)
      } catch {
        if case .declined(let reason) = error { refusals[id] = reason }
      }
    }
  }

  subscript(id: NodeID) -> Part? { parts[Int(id.index)] }

  /// The nodes that a chain ending at a node consists of, in the order of the graph, and why the first
  /// of its elementwise operands that stay outside does.
  func chain(endingAt last: NodeID) -> (nodes: [NodeID], reason: String?) {
    guard let end = self[last] else { return ([], nil) }
    var members: Set<NodeID> = [last]
    var nodes = [last]
    var stepCount = end.stepCount
    var reason: String?
    var candidates = producers(of: last)
    // Users come before what they read: a node is looked at once, when all that could read it is known.
    while let next = candidates.max(by: { positions[Int($0.index)] < positions[Int($1.index)] }) {
      candidates.remove(next)
      do throws(MatchFailure) {
        let part = try joining(next, members, end, stepCount, last)
        members.insert(next)
        nodes.append(next)
        stepCount += part.stepCount
        candidates.formUnion(producers(of: next))
      } catch {
        if case .declined(let refusal) = error, reason == nil { reason = refusal }
      }
    }
    return (nodes.reversed(), reason)
  }

  private func producers(of id: NodeID) -> Set<NodeID> {
    Set(graph[id].inputs.compactMap { $0.flatMap { graph.producer(of: $0) } })
      .filter { self[$0] != nil || refusals[$0] != nil }
  }

  /// The part that a node is of the chain of `members`; a smaller result is none, being computed once.
  private func joining(
    _ id: NodeID, _ members: Set<NodeID>, _ end: Part, _ stepCount: Int, _ last: NodeID
  ) throws(MatchFailure) -> Part {
    if let refusal = refusals[id] { throw .declined("\(graph.label(of: id)): \(refusal)") }
    guard let part = self[id], let result = graph[id].outputs[0], part.shape == end.shape else {
      throw .notThisPattern
    }
    let users = uses.users(of: result)
    guard !uses.isOutput(result) else { throw .declined("\(graph.label(of: id)) is an output") }
    guard users.count <= ElementwiseFusion.maximumSteps, users.allSatisfy(members.contains) else {
      throw .declined("\(graph.label(of: id)) is read by others, too")
    }
    guard stepCount + part.stepCount <= ElementwiseFusion.maximumSteps else {
      throw .declined("the chain is \(ElementwiseFusion.maximumSteps) steps long")
    }
    guard !keepsTooMuch(id, part, members, last) else {
      throw .declined("the operands of \(graph.label(of: id)) would be kept for longer")
    }
    return part
  }

  private func part(
    _ node: Node, _ function: ElementwiseFunction
  ) throws(MatchFailure) -> Part {
    guard node.outputs.count == 1, let result = node.outputs[0],
      let type = graph.tensorType(of: result), let dataType = type.dataType,
      node.inputs.allSatisfy({ $0 != nil })
    else { throw .notThisPattern }
    let operands = node.inputs.map { $0.flatMap { graph.tensorType(of: $0)?.dataType } }
    var stepCount = 1
    if case .conversion = function {
      guard operands.allSatisfy({ $0?.isFusible == true }), dataType.isFusible else {
        throw .notThisPattern
      }
    } else {
      guard dataType.isFusible else { throw .declined("the elements are \(dataType)") }
      guard operands.allSatisfy({ $0 == dataType }) else {
        throw .declined("the operands' types differ")
      }
    }
    switch function {
    case .conversion: break
    case .unary:
      guard operands.count == 1 else { throw .declined("it has a bias") }
    case .binary:
      guard operands.count > 1 else { throw .notThisPattern }
      stepCount = operands.count - 1
    }
    guard stepCount <= ElementwiseFusion.maximumSteps else {
      throw .declined("it has \(operands.count) operands")
    }
    guard let shape = type.concreteShape else { throw .declined("the size is not known") }
    return Part(function: function, type: dataType, shape: shape, stepCount: stepCount)
  }

  /// True when operands would outlive what they are read for by more than the result that goes, while
  /// other large results are computed.
  private func keepsTooMuch(
    _ id: NodeID, _ part: Part, _ members: Set<NodeID>, _ last: NodeID
  ) -> Bool {
    guard part.shape.elementCount >= Self.heavyCount else { return false }
    let (own, end) = (positions[Int(id.index)], positions[Int(last.index)])
    guard heavyBefore[end] - heavyBefore[own + 1] > members.count - 1 else { return false }
    var byteCount = 0
    for value in Set(graph[id].inputs.compactMap { $0 }) {
      guard !isConstant[Int(value.index)], !uses.isOutput(value),
        let user = uses.users(of: value).last, positions[Int(user.index)] < end,
        let type = graph.tensorType(of: value), let shape = type.concreteShape
      else { continue }
      byteCount += shape.elementCount * (type.dataType?.byteCount ?? 0)
    }
    return byteCount > part.shape.elementCount * part.type.byteCount
  }

  private func isHeavy(_ node: Node) -> Bool {
    if PeakPrediction.views.contains(node.op) { return false }
    return !node.subgraphs.isEmpty
      || node.outputs.contains { value in
        guard let value else { return false }
        return (graph.tensorType(of: value)?.concreteShape?.elementCount ?? Self.heavyCount)
          >= Self.heavyCount
      }
  }
}
