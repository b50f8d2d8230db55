import GraphIR
import Tensors

/// The nodes that make a value of some others, to be run a second time on other operands.
///
/// Weights and other values from outside are shared by name. Nodes that a cache node will own are not
/// visible outside of it, so they are copied too.
struct BodyCopy {
  let graph: Graph
  /// The values that stay what they are or are replaced.
  let inputs: [ValueID]
  let output: ValueID
  /// In execution order.
  let nodes: [NodeID]

  /// The nodes between some values and another one.
  ///
  /// - Parameters:
  ///   - output: what is made
  ///   - inputs: where to stop
  ///   - hidden: nodes of which nothing outside can read the results
  ///   - graph: the graph before anything was wrapped
  init(of output: ValueID, from inputs: [ValueID], hidden: Set<NodeID>, in graph: Graph) {
    self.graph = graph
    self.inputs = inputs
    self.output = output
    let stops = Set(inputs)
    var needed: Set<NodeID> = []
    var pending = [output]
    while let value = pending.popLast() {
      guard !stops.contains(value), let producer = graph.producer(of: value),
        needed.insert(producer).inserted
      else { continue }
      pending += graph[producer].uses
    }
    var changing = stops
    var copied: [NodeID] = []
    for id in graph.order where needed.contains(id) {
      let node = graph[id]
      guard hidden.contains(id) || node.uses.contains(where: changing.contains) else { continue }
      copied.append(id)
      changing.formUnion(node.outputs.compactMap { $0 })
    }
    nodes = copied
  }

  /// Whether the copy reads an input.
  func reads(_ input: ValueID) -> Bool {
    input == output || nodes.contains { graph[$0].uses.contains(input) }
  }

  /// FLOPs of the copy on all tokens; nil while a dimension is free.
  func flops(in measured: Graph) -> Int? {
    nodes.knownSum { measured[$0].flops }
  }

  /// Writes the copy into a scope.
  ///
  /// - Parameters:
  ///   - scope: where it goes
  ///   - replacement: what an input is replaced with; none leaves all as they are
  ///   - rows: the token axes and the number of tokens, if the replacement has fewer
  ///   - place: the rule and site, for errors
  /// - Returns: the value that stands for the output
  /// - Throws: `CacheRewriteError` if a node owns a graph
  func emit(
    in scope: GraphScope, replacing replacement: (input: ValueID, by: ValueID)? = nil,
    rows: (axes: TokenRows, count: Dimension)? = nil, at place: String
  ) throws(CacheRewriteError) -> ValueID {
    var own: [ValueID: ValueID] = [:]
    if let replacement { own[replacement.input] = replacement.by }
    for id in nodes {
      var node = graph[id]
      guard node.subgraphs.isEmpty else {
        throw CacheRewriteError(
          "body-with-subgraph", at: place, "'\(graph.label(of: id))' owns a graph and is not copied"
        )
      }
      node.origin = nil
      node.name = Name(bytes: node.name.bytes + Array("/again".utf8))
      node.inputs = node.inputs.map { $0.map { own[$0] ?? scope.outer($0) } }
      if let shape = rows?.axes.shapes[id] {
        let sizes = scope.graph.constant(shape.map(Int64.init), shape: .vector(shape.count))
        node.inputs = [node.inputs[0], sizes]
        node.attributes.removeAll { $0.name == "allowzero" }
      }
      node.outputs = node.outputs.map { value in
        guard let value else { return nil }
        var type = graph.type(of: value)
        if let rows, var tensor = type.tensor {
          if let axis = rows.axes.axes[value] {
            tensor.shape?[axis] = rows.count
            type = .tensor(tensor)
          }
        }
        let copy = scope.graph.makeValue(
          Name(bytes: graph.name(of: value).bytes + Array("/again".utf8)), type: type)
        own[value] = copy
        return copy
      }
      scope.graph.append(node)
    }
    return own[output] ?? scope.outer(output)
  }
}
