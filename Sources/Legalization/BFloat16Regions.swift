import GraphIR
import Tensors

/// The bfloat16 values of a graph that some operator computes with.
///
/// Operators that are no borders keep one type for all their bfloat16 values, so those belong
/// together; a set of them counts when any of its operators computes.
struct BFloat16Regions {
  private var parents: [Int32]
  private var computes: [Bool]
  private let isBFloat16: [Bool]

  /// How many values there are.
  private(set) var valueCount = 0

  /// The regions of a graph with inferred types.
  init(_ graph: Graph, isBorder: (Node) -> Bool, moves: (Node) -> Bool) {
    parents = (0..<Int32(graph.valueCount)).map { $0 }
    computes = [Bool](repeating: false, count: graph.valueCount)
    isBFloat16 = (0..<graph.valueCount).map {
      graph.tensorType(of: ValueID($0))?.dataType == .bfloat16
    }
    for id in graph.order where !isBorder(graph[id]) {
      let node = graph[id]
      let values = (node.inputs + node.outputs).compactMap { $0 }.filter {
        isBFloat16[Int($0.index)]
      }
      guard let first = values.first else { continue }
      for other in values.dropFirst() { join(first, other) }
      if !moves(node) { computes[Int(root(first.index))] = true }
    }
    for index in 0..<Int32(graph.valueCount) where isBFloat16[Int(index)] {
      let top = root(index)
      parents[Int(index)] = top
      if computes[Int(top)] { valueCount += 1 }
    }
  }

  /// True when something computes with the value or with what it is moved to.
  func contains(_ value: ValueID) -> Bool {
    let index = Int(value.index)
    return index < isBFloat16.count && isBFloat16[index] && computes[Int(parents[index])]
  }

  private mutating func root(_ index: Int32) -> Int32 {
    var index = index
    while parents[Int(index)] != index {
      parents[Int(index)] = parents[Int(parents[Int(index)])]
      index = parents[Int(index)]
    }
    return index
  }

  private mutating func join(_ a: ValueID, _ b: ValueID) {
    let (a, b) = (root(a.index), root(b.index))
    guard a != b else { return }
    parents[Int(max(a, b))] = min(a, b)
    if computes[Int(max(a, b))] { computes[Int(min(a, b))] = true }
  }
}
