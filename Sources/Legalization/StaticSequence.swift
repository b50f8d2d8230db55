public import GraphIR
public import Rewrite
import Tensors

/// `SequenceAt` of a sequence whose parts are known reads the part itself.
///
/// Exports without optimisation write `chunk` and `unbind` as `SplitToSequence` and `SequenceAt`.
/// OpenVINO 2026.4 follows only some such pairs and fails on `SequenceEmpty` and `SequenceInsert`;
/// other compilers have no sequences at all.
public struct StaticSequence: RewriteRule {
  /// `static-sequence`.
  public static let name = "static-sequence"
  /// `SequenceAt`.
  public static let roots: Set<OpKey> = ["SequenceAt"]

  /// A part of a sequence, as a tensor that exists or as a slice of one.
  public struct Match: Sendable {
    enum Part: Sendable {
      case value(ValueID)
      case slice(of: ValueID, axis: Int, start: Int, end: Int, isSqueezed: Bool)
    }
    let node: NodeID
    let result: ValueID
    let part: Part
    let isOutput: Bool
  }

  /// The rule.
  public init() {}

  /// Matches a constant position in a sequence that is built from tensors or by equal splits.
  public func match(_ node: NodeID, in context: MatchContext) throws(MatchFailure) -> Match {
    let graph = context.graph
    let facts = graph[node]
    guard facts.inputs.count == 2, let sequence = facts.inputs[0],
      let result = facts.outputs.first ?? nil,
      let position = graph.constantIntegers(facts.inputs[1])?.first
    else { throw .notThisPattern }
    guard let part = Self.part(position, of: sequence, in: graph) else {
      throw .declined("the parts of the sequence are not known")
    }
    return Match(node: node, result: result, part: part, isOutput: context.uses.isOutput(result))
  }

  /// Reads the part.
  public func rewrite(_ match: Match, with editor: inout GraphEditor) -> String {
    let name = editor.name(of: match.result)
    switch match.part {
    case .value(let value):
      editor.insert(
        Node("Identity", name: name, inputs: [value], outputs: [match.result]), before: match.node)
    case .slice(let data, let axis, let start, let end, let isSqueezed):
      func vector(_ number: Int, _ suffix: String) -> ValueID {
        editor.addInitializer(name.derived(suffix), StoredTensor(Tensor([Int64(number)])))
      }
      let axes = vector(axis, "axis")
      let operands = [data, vector(start, "start"), vector(end, "end"), axes]
      if isSqueezed {
        let whole = editor.makeValue(like: name.derived("whole"), type: .unknown)
        editor.insert(
          Node("Slice", name: name.derived("whole"), inputs: operands, outputs: [whole]),
          before: match.node)
        editor.insert(
          Node("Squeeze", name: name, inputs: [whole, axes], outputs: [match.result]),
          before: match.node)
      } else {
        editor.insert(
          Node("Slice", name: name, inputs: operands, outputs: [match.result]), before: match.node)
      }
    }
    editor.remove(match.node)
    return "reads its part of the sequence directly"
  }

  private static func part(_ position: Int, of sequence: ValueID, in graph: Graph) -> Match.Part? {
    guard graph.opset >= 13, let producer = graph.producer(of: sequence) else { return nil }
    if graph[producer].op == "SplitToSequence" {
      return slice(position, of: graph[producer], in: graph)
    }
    guard let parts = parts(of: sequence, in: graph) else { return nil }
    let index = position < 0 ? position + parts.count : position
    return parts.indices.contains(index) ? .value(parts[index]) : nil
  }

  /// The tensors of a chain of `SequenceInsert`s.
  private static func parts(of sequence: ValueID, in graph: Graph) -> [ValueID]? {
    var insertions: [(value: ValueID, position: Int?)] = []
    var sequence = sequence
    while let producer = graph.producer(of: sequence) {
      let node = graph[producer]
      switch node.op {
      case "SequenceInsert":
        guard let earlier = node.inputs[0], node.inputs.count > 1, let value = node.inputs[1]
        else { return nil }
        let position = node.inputs.count > 2 ? node.inputs[2] : nil
        let known = graph.constantIntegers(position)?.first
        if position != nil, known == nil { return nil }
        insertions.append((value, known))
        sequence = earlier
      case "SequenceEmpty", "SequenceConstruct":
        var parts = node.inputs.compactMap { $0 }
        for insertion in insertions.reversed() {
          let place = insertion.position.map { $0 < 0 ? $0 + parts.count : $0 } ?? parts.count
          guard (0...parts.count).contains(place) else { return nil }
          parts.insert(insertion.value, at: place)
        }
        return parts
      default: return nil
      }
    }
    return nil
  }

  /// One part of an equal split along an axis of known size.
  private static func slice(_ position: Int, of split: Node, in graph: Graph) -> Match.Part? {
    func int(_ name: String, _ fallback: Int) -> Int {
      if case .int(let number)? = split.attribute(name) { number } else { fallback }
    }
    guard let data = split.inputs.first ?? nil, let shape = graph.tensorType(of: data)?.shape
    else { return nil }
    let axis = int("axis", 0) < 0 ? int("axis", 0) + shape.count : int("axis", 0)
    guard shape.indices.contains(axis), let size = shape[axis].value else { return nil }
    let operand = split.inputs.count > 1 ? split.inputs[1] : nil
    var lengths: [Int]
    if let operand {
      guard let numbers = graph.constantIntegers(operand, atMost: 4096) else { return nil }
      let isScalar = graph.tensorType(of: operand)?.shape?.isEmpty ?? false
      guard let step = numbers.first, step > 0 else { return nil }
      lengths =
        isScalar
        ? stride(from: 0, to: size, by: step).map { min(step, size - $0) } : numbers
    } else {
      lengths = [Int](repeating: 1, count: min(size, 4096))
    }
    let index = position < 0 ? position + lengths.count : position
    guard lengths.indices.contains(index), lengths.allSatisfy({ $0 >= 0 }) else { return nil }
    let start = lengths[..<index].reduce(0, +)
    return .slice(
      of: data, axis: axis, start: start, end: start + lengths[index],
      isSqueezed: operand == nil && int("keepdims", 1) == 0)
  }
}
