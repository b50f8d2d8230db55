import GraphIR
import Operators
import Rewrite
import Tensors

/// Slices that follow one another along an axis and are joined along it again are what they were cut
/// from.
struct RejoinedSlices: RewriteRule {
  static let name = "rejoined-slices"
  static let roots: Set<OpKey> = ["Concat"]

  struct Match: Sendable {
    let node: NodeID
    let source: ValueID
    let result: ValueID
  }

  func match(_ node: NodeID, in context: MatchContext) throws(MatchFailure) -> Match {
    let parts = context.graph[node].inputs
    guard let result = context.result(node), !context.uses.isOutput(result),
      let shape = context.shape(result), parts.count > 1,
      let first = context.section(parts[0]), context.shape(first.source) == shape
    else { throw .notThisPattern }
    let written = context.integer(node, "axis", default: 0)
    let axis = written < 0 ? written + shape.count : written
    var position = 0
    for part in parts {
      guard let section = context.section(part), section.source == first.source,
        section.axis == axis, section.range.lowerBound == position
      else { throw .notThisPattern }
      position = section.range.upperBound
    }
    guard position == shape[axis] else { throw .notThisPattern }
    return Match(node: node, source: first.source, result: result)
  }

  func rewrite(_ match: Match, with editor: inout GraphEditor) -> String {
    editor.remove(match.node)
    editor.redirect(match.result, to: match.source)
    return "what was cut is joined again"
  }
}

extension MatchContext {
  /// A part of a value that one axis alone was cut to.
  struct Section {
    let source: ValueID
    let axis: Int
    let range: Range<Int>
  }

  /// What a value is a section of, when a Slice with steps of one, along one axis, makes it.
  func section(_ value: ValueID?) -> Section? {
    guard let node = producer(of: value, "Slice"), let source = operand(node, 0),
      let shape = shape(source), let own = self.shape(value),
      let starts = integers(operand(node, 1)), starts.count == 1,
      (integers(operand(node, 4)) ?? [1]) == [1]
    else { return nil }
    let axes = operand(node, 3) == nil ? [0] : integers(operand(node, 3)) ?? []
    guard axes.count == 1 else { return nil }
    let axis = axes[0] < 0 ? axes[0] + shape.count : axes[0]
    guard shape.indices.contains(axis) else { return nil }
    let start = max(0, min(shape[axis], starts[0] < 0 ? starts[0] + shape[axis] : starts[0]))
    guard start + own[axis] <= shape[axis] else { return nil }
    return Section(source: source, axis: axis, range: start..<start + own[axis])
  }
}
