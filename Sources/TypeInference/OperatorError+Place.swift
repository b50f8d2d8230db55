package import Operators

extension OperatorError {
  /// The same error at a node, with the types of what the node was given; nil stands for an absent
  /// operand.
  ///
  /// An error that has a place already, because it came from a graph inside the node, keeps its
  /// sentence.
  package func at(_ label: String, given types: [String?]) -> OperatorError {
    guard place.isEmpty, !types.isEmpty else { return at(label) }
    let given = types.map { $0 ?? "none" }.joined(separator: ", ")
    return OperatorError(
      code, "\(message). Inputs were \(given)", hint: hint, category: category
    ).at(label)
  }
}
