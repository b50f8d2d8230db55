import GraphIR

/// What the exporter's names say about blocks that structure has found.
struct BlockLabels {
  private let graph: Graph
  private var paths: [NodeID: ModulePath] = [:]

  init(_ graph: Graph) {
    self.graph = graph
    for id in graph.order {
      let path = ModulePath(of: graph[id])
      if !path.isRoot { paths[id] = path }
    }
  }

  /// An element of a numbered list of modules.
  struct Element: Hashable {
    let family: String
    let index: Int
  }

  /// The list element that most nodes carry, when most of those with names agree.
  func element(of nodes: [NodeID]) -> Element? {
    var counts: [Element: Int] = [:]
    var named = 0
    for id in nodes {
      guard let path = paths[id] else { continue }
      named += 1
      guard let element = path.listElement else { continue }
      counts[Element(family: element.family, index: element.index), default: 0] += 1
    }
    let best = counts.max { ($0.value, $1.key.index) < ($1.value, $0.key.index) }
    guard let best, 2 * best.value > named else { return nil }
    return best.key
  }

  /// The name that most of a branch's nodes carry inside their list element, norms aside.
  func moduleName(of nodes: [NodeID], in element: Element?) -> String? {
    guard let element else { return nil }
    var counts: [String: Int] = [:]
    for id in nodes {
      guard let found = paths[id]?.listElement, found.family == element.family,
        found.index == element.index, let name = found.rest.first, !name.hasPrefix("norm")
      else { continue }
      counts[String(name), default: 0] += 1
    }
    return counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
  }
}
