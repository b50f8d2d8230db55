public import GraphIR

/// An input or output of a model.
public struct Port: Hashable, Sendable {
  /// The name.
  public let name: Name
  /// The type, as far as the model declares it.
  public let type: ValueType
  /// True for an input that has a default and may be left out.
  public let isOptional: Bool
  /// The other end of the state pair it belongs to.
  public let statePartner: Name?

  init(input value: ValueID, of graph: Graph) {
    name = graph.name(of: value)
    type = graph.type(of: value)
    isOptional = graph.initializers[value] != nil
    statePartner = graph.statePairs.first { $0.input == value }.map { graph.name(of: $0.output) }
  }

  init(output value: ValueID, of graph: Graph) {
    name = graph.name(of: value)
    type = graph.type(of: value)
    isOptional = false
    statePartner = graph.statePairs.first { $0.output == value }.map { graph.name(of: $0.input) }
  }
}
