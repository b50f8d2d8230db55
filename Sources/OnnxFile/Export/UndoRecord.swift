/// Which graph inside a model: from the main graph, node after node and attribute after attribute.
struct GraphPath: Hashable {
  /// A node's position in its graph, and the position of one of its attributes.
  struct Step: Hashable {
    var node: Int
    var attribute: Int
  }

  var steps: [Step] = []

  /// The main graph.
  static let main = GraphPath()

  /// A graph of a node of this one; follow with `appending(attribute:)`.
  func appending(node: Int) -> GraphPath {
    GraphPath(steps: steps + [Step(node: node, attribute: 0)])
  }

  /// The graph that an attribute of the last node holds.
  func appending(attribute: Int) -> GraphPath {
    var path = self
    if let last = path.steps.indices.last { path.steps[last].attribute = attribute }
    return path
  }
}

/// What it takes to turn a rewritten file back into the original.
///
/// Originals that stand unchanged anywhere in the file are found by their place, those with other
/// operands get their own back; the bytes of all others are part of the record. Everything new stands behind the originals of its list, so that
/// counts suffice to cut it off.
struct UndoRecord: Equatable {
  /// The metadata key.
  static let key = "ditcache/undo"

  /// A stretch of nodes: originals in their order, one that only reads or writes other names now,
  /// or nodes that are new.
  enum Run: Equatable {
    case originals(ClosedRange<Int>)
    case renamed(Int)
    case new(Int)
  }

  /// The nodes of each graph that holds originals.
  struct Places: Equatable {
    private(set) var runs: [GraphPath: [Run]] = [:]
    private(set) var paths: [GraphPath] = []

    mutating func append(original index: Int, at path: GraphPath) {
      if case .originals(let range)? = runs[path]?.last, range.upperBound + 1 == index {
        replaceLast(.originals(range.lowerBound...index), at: path)
      } else {
        append(.originals(index...index), at: path)
      }
    }

    mutating func appendNew(at path: GraphPath) {
      if case .new(let count)? = runs[path]?.last {
        replaceLast(.new(count + 1), at: path)
      } else {
        append(.new(1), at: path)
      }
    }

    mutating func append(_ run: Run, at path: GraphPath) {
      if runs[path] == nil { paths.append(path) }
      runs[path, default: []].append(run)
    }

    private mutating func replaceLast(_ run: Run, at path: GraphPath) {
      guard let last = runs[path]?.indices.last else { return }
      runs[path]?[last] = run
    }
  }

  /// The lists of a model that a rewrite appends to.
  enum List: String, CaseIterable {
    case nodes, inputs, outputs, initializers, values, opsets, metadata
  }

  /// An original that stands in the file changed, or not at all.
  struct Replaced: Equatable {
    var list: List
    var index: Int
    var bytes: [UInt8]
  }

  /// SHA-256 of the original file.
  var digest: String

  /// Bytes of the original file.
  var byteCount: Int

  /// How many entries the original had in each list.
  var counts: [List: Int] = [:]

  var places = Places()
  var replaced: [Replaced] = []

  /// The operands that renamed nodes had, as node messages of nothing else.
  var operands: [Int: [UInt8]] = [:]

  /// Original versions of operator sets that have another version now, by position.
  var opsetVersions: [Int: Int] = [:]

  /// Original locations of external data by their present ones.
  var locations: [String: String] = [:]
}
