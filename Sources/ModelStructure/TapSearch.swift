public import GraphIR

/// Finds the values of a model that caching rules read, by what they are for, not by their names.
public struct TapSearch {
  private let graph: Graph
  private let uses: UseIndex
  private static let products: Set<OpKey> = ["MatMul", "Gemm", "Conv"]

  /// A search in a graph with type facts.
  public init(_ graph: Graph, uses: UseIndex) {
    self.graph = graph
    self.uses = uses
  }

  /// What a block's first attention projects of its first stream, after norm and modulation.
  public func modulatedInput(of block: Block) throws(StructureError) -> ValueID {
    let modules = block.modules.filter { $0.stream == 0 && $0.modulatedInput != nil }
    let module = modules.first { $0.kind != .mlp } ?? modules.first
    if let value = module?.modulatedInput { return value }
    return try mostProjected(in: block)
  }

  /// The first value that depends on the first stream and on no other, and that most matrix products
  /// multiply.
  private func mostProjected(in block: Block) throws(StructureError) -> ValueID {
    let own = reached(from: block.streams.prefix(1).map(\.input), in: block.nodes)
    let foreign = reached(from: block.streams.dropFirst().map(\.input), in: block.nodes)
    var counts: [ValueID: Int] = [:]
    var order: [ValueID] = []
    for id in block.nodes where Self.products.contains(graph[id].op) {
      guard let value = graph[id].inputs.first, let value, own.contains(value),
        !foreign.contains(value)
      else { continue }
      if counts.updateValue(counts[value, default: 0] + 1, forKey: value) == nil {
        order.append(value)
      }
    }
    guard let most = counts.values.max(), let value = order.first(where: { counts[$0] == most })
    else {
      throw StructureError(
        "no-modulated-input", at: block.name,
        "no single value is projected by the block's first attention",
        hint: "read 'input(…)' or 'residual(…)' instead")
    }
    return value
  }

  /// The embedding of the timestep before the last activation on its way to the modulations.
  public func timestepEmbedding(from timestep: ValueID) throws(StructureError) -> ValueID {
    try lastActivation(from: timestep).input
  }

  /// What one linear layer makes of that embedding for all blocks.
  public func timestepProjection(from timestep: ValueID) throws(StructureError) -> ValueID {
    let activation = try lastActivation(from: timestep)
    let readers = uses.users(of: activation.output)
    guard readers.count == 1, let product = readers.first,
      Self.products.contains(graph[product].op), let result = graph[product].outputs.first,
      let result
    else {
      throw StructureError(
        "no-timestep-projection", at: graph.name(of: activation.output).text,
        "the activated timestep embedding is not projected once for all blocks",
        hint: "read 'timestep_embedding' or 'modulated_input(blocks[0])'")
    }
    let next = uses.users(of: result)
    if next.count == 1, let bias = next.first, graph[bias].op == "Add",
      let sum = graph[bias].outputs.first, let sum
    {
      return sum
    }
    return result
  }

  /// The last SiLU whose operand depends on the timestep and on no tokens.
  private func lastActivation(
    from timestep: ValueID
  ) throws(StructureError) -> (input: ValueID, output: ValueID) {
    let tokens = graph.inputs.filter { (graph.tensorType(of: $0)?.shape?.count ?? 0) >= 3 }
    let late = reached(from: tokens, in: graph.order)
    let own = reached(from: [timestep], in: graph.order)
    var found: (input: ValueID, output: ValueID)?
    for id in graph.order {
      let node = graph[id]
      guard let operand = node.inputs.first, let operand, own.contains(operand),
        !late.contains(operand), let result = node.outputs.first, let result
      else { continue }
      switch node.op {
      case "Swish", "Silu": found = (operand, result)
      case "Sigmoid":
        let product = uses.users(of: result).first { reader in
          graph[reader].op == "Mul" && graph[reader].inputs.contains(operand)
        }
        if let product, let output = graph[product].outputs.first, let output {
          found = (operand, output)
        }
      default: break
      }
    }
    guard let found else {
      throw StructureError(
        "no-timestep-embedding", at: graph.name(of: timestep).text,
        "no activation follows this input",
        hint: "read 'modulated_input(blocks[0])' instead")
    }
    return found
  }

  private func reached(from sources: [ValueID], in nodes: [NodeID]) -> Set<ValueID> {
    var values = Set(sources)
    for id in nodes where graph[id].uses.contains(where: values.contains) {
      values.formUnion(graph[id].outputs.compactMap { $0 })
    }
    return values
  }
}
