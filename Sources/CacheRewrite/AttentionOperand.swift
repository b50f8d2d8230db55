import GraphIR
import ModelStructure

/// Finds the attention among what a parallel module puts together.
struct AttentionOperand {
  private static let attentions: Set<OpKey> = [
    "Softmax", "Attention", OpKey("MultiHeadAttention", domain: "com.microsoft"),
  ]
  private let graph: Graph
  /// What the block computes from something with a softmax in it.
  private var attended: Set<ValueID> = []
  /// What the block computes from its hidden states, these included.
  private var own: Set<ValueID>

  init(_ block: Block, graph: Graph) {
    self.graph = graph
    own = Set(block.streams.map(\.input))
    for id in block.nodes {
      let node = graph[id]
      guard node.uses.contains(where: own.contains) else { continue }
      let outputs = node.outputs.compactMap { $0 }
      own.formUnion(outputs)
      if Self.attentions.contains(node.op) || node.uses.contains(where: attended.contains) {
        attended.formUnion(outputs)
      }
    }
  }

  /// The operand with attention of the last operator above `value` that has another one without.
  func value(below value: ValueID) -> ValueID? {
    var value = value
    while let producer = graph.producer(of: value) {
      let operands = graph[producer].inputs.compactMap { $0 }.filter(own.contains)
      guard operands.count > 1 || operands.first.map(attended.contains) == true else { return nil }
      let withAttention = operands.filter(attended.contains)
      guard withAttention.count == 1 else { return nil }
      if operands.count > 1 { return withAttention[0] }
      value = withAttention[0]
    }
    return nil
  }
}
