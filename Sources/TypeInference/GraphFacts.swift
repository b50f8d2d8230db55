public import GraphIR
package import Operators

/// Which graph of which node.
package struct SubgraphKey: Hashable, Sendable {
  /// The node that owns it.
  package let node: NodeID
  /// The attribute that holds it; `body` and `reuse` for cache nodes.
  package let attribute: String

  /// The graph of an attribute.
  package init(_ node: NodeID, _ attribute: String) {
    self.node = node
    self.attribute = attribute
  }
}

/// What inference found out about one graph.
package struct GraphFacts: Sendable {
  /// Facts of each value, by the value's index; nil where nobody asked.
  package internal(set) var values: [ValueFact?]

  /// Floating-point operations of each node, by the node's index.
  package internal(set) var flops: [Int?]

  /// The graphs inside nodes, or why they cannot run with what they are given.
  package internal(set) var subgraphs: [SubgraphKey: Result<GraphFacts, OperatorError>] = [:]

  /// Sizes that must be equal, each pair once.
  package internal(set) var assumptions: [SizeAssumption] = []

  /// What was left unknown or is contradictory.
  var remarks = RemarkList()

  init(_ graph: Graph) {
    values = [ValueFact?](repeating: nil, count: graph.valueCount)
    flops = [Int?](repeating: nil, count: graph.nodeCapacity)
  }

  /// Facts of a value; unknown where nobody asked.
  package subscript(value: ValueID) -> ValueFact {
    values[Int(value.index)] ?? ValueFact(.unknown)
  }
}

/// Remarks, equal sentences told once with the number of places.
struct RemarkList: Sendable {
  private var entries: [(place: String, message: String, count: Int)] = []
  private var positions: [String: Int] = [:]

  mutating func add(_ place: String, _ message: String, count: Int = 1) {
    if let position = positions[message] {
      entries[position].count += count
    } else {
      positions[message] = entries.count
      entries.append((place, message, count))
    }
  }

  mutating func add(_ other: RemarkList, inside place: String) {
    for entry in other.entries {
      add("\(place), \(entry.place)", entry.message, count: entry.count)
    }
  }

  /// Each sentence with the first place it concerns.
  var told: [(place: String, message: String)] {
    entries.map { entry in
      let others = entry.count - 1
      return (entry.place, entry.message + (others > 0 ? " (and at \(others) more places)" : ""))
    }
  }
}

/// Two sizes that meet where an operator needs them to be equal, or one of them to be 1.
public struct SizeAssumption: Hashable, Sendable {
  /// One size.
  public let first: Dimension
  /// The other.
  public let second: Dimension
  /// The first node at which they meet.
  public let place: String

  /// Both sizes, and where they meet, in words.
  public var text: String { "\(first) = \(second) (\(place))" }
}
