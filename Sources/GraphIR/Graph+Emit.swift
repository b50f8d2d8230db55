public import Tensors

extension Graph {
  /// Appends an operator with one result and returns the result.
  ///
  /// The node gets a fresh result named like `name`; use it to build graphs by hand.
  @discardableResult
  public mutating func emit(
    _ op: OpKey, _ inputs: [ValueID?], _ attributes: [Attribute] = [], name: Name = "",
    type: ValueType = .unknown
  ) -> ValueID {
    let result = makeValue(name, type: type)
    append(
      Node(
        op, name: self.name(of: result), inputs: inputs, outputs: [result], attributes: attributes))
    return result
  }

  /// Adds a constant from elements.
  @discardableResult
  public mutating func constant<Element: TensorElement>(
    _ elements: [Element], shape: Shape, name: Name = ""
  ) -> ValueID {
    addInitializer(name, StoredTensor(Tensor(elements, shape: shape)))
  }
}
