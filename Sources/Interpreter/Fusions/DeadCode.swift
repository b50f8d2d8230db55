import GraphIR
import Rewrite

/// Removes the nodes that no output depends on.
struct DeadCode: Pass {
  var name: String { "dead-code" }

  func run(on graph: inout Graph, report: inout PassReport) {
    let count = graph.removeDeadNodes()
    if count > 0 { report.changed("graph '\(graph.name)'", "\(count) nodes removed") }
  }
}

extension Graph {
  /// Removes the nodes that no output depends on and says how many there were.
  mutating func removeDeadNodes() -> Int {
    var isUsed = [Bool](repeating: false, count: valueCount)
    for output in outputs { isUsed[Int(output.index)] = true }
    var dead: Set<NodeID> = []
    for id in order.reversed() {
      let node = self[id]
      if node.outputs.contains(where: { $0.map { isUsed[Int($0.index)] } ?? false }) {
        for value in node.uses { isUsed[Int(value.index)] = true }
      } else {
        dead.insert(id)
      }
    }
    if !dead.isEmpty { remove(dead) }
    return dead.count
  }
}
