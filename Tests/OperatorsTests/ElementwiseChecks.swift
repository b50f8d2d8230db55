import GraphIR
import Operators
import Tensors
import Testing

/// Checks of a unary operator on float32: its numbers, dense and through a strided view, its
/// typing, and that it refuses what it does not know.
///
/// `cases` are operands and exact results, an even number of them.
func checkUnary(
  _ op: OpKey, _ cases: [(Float, Float)], _ attributes: [Attribute] = [], opset: Int = 20,
  tolerance: Float = 1e-6, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let operands = try Tensor.of(cases.map(\.0), 2, cases.count / 2)
  let expected = cases.map(\.1)
  for view in [operands, try operands.scattered()] {
    let results = try OperatorHarness.run(op, [view], attributes, opset: opset)
    expectClose(
      results[0], expected, shape: [2, cases.count / 2], tolerance: tolerance,
      sourceLocation: sourceLocation)
  }
  let empty = try OperatorHarness.run(
    op, [try Tensor.of([Float](), 0, 3)], attributes, opset: opset)
  #expect(empty[0].shape.dimensions == [0, 3], sourceLocation: sourceLocation)

  let shape: [Dimension] = [2, Dimension(symbol: "s") + 1]
  let fact = try OperatorHarness.infer(op, [ValueFact(.float32, shape)], attributes, opset: opset)
  #expect(fact[0].shape == shape, sourceLocation: sourceLocation)
  let unknown = try OperatorHarness.infer(op, [ValueFact(.unknown)], attributes, opset: opset)
  #expect(unknown[0].shape == nil, sourceLocation: sourceLocation)

  try expectStrictness(
    op, [ValueFact(.float32, [2])], attributes, opset: opset, sourceLocation: sourceLocation)
  let word = OperatorHarness.refusal(op, [ValueFact(.string, [2])], attributes, opset: opset)
  #expect(word?.code == "bad-operands", sourceLocation: sourceLocation)
}

/// Checks of a binary operator: broadcasting, typing and refusals.
///
/// `a` are six numbers, a matrix [2, 3], and `b` three, a row; `expected` are the six results.
func checkBinary<Operand: TensorElement, Result: TensorElement & Equatable>(
  _ op: OpKey, _ a: [Operand], _ b: [Operand], _ expected: [Result],
  _ attributes: [Attribute] = [], opset: Int = 20,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let (matrix, row) = (try Tensor.of(a, 2, 3), try Tensor.of(b, 3))
  for (left, right, shape) in [
    (matrix, row, [2, 3]), (try matrix.scattered(), row, [2, 3]),
    (try Tensor.of(a, 2, 1, 3), try Tensor.of(b, 1, 3), [2, 1, 3]),
    (try Tensor.of(a, 2, 3, 1), try Tensor.of(b, 3, 1), [2, 3, 1]),
  ] {
    let result = try OperatorHarness.run(op, [left, right], attributes, opset: opset)[0]
    #expect(result.shape.dimensions == shape, sourceLocation: sourceLocation)
    #expect(result.dataType == Result.dataType, sourceLocation: sourceLocation)
    #expect(result.elements(as: Result.self) == expected, sourceLocation: sourceLocation)
  }
  let type = Operand.dataType
  let symbol = Dimension(symbol: "s")
  let fact = try OperatorHarness.infer(
    op, [ValueFact(type, [symbol, 1]), ValueFact(type, [4, 1, 3])], attributes, opset: opset)
  #expect(fact[0].shape == [4, symbol, 3], sourceLocation: sourceLocation)
  #expect(fact[0].dataType == Result.dataType, sourceLocation: sourceLocation)
  let clash = OperatorHarness.refusal(
    op, [ValueFact(type, [2]), ValueFact(type, [3])], attributes, opset: opset)
  #expect(clash?.message.contains("do not broadcast") == true, sourceLocation: sourceLocation)
  let mixed = OperatorHarness.refusal(
    op, [ValueFact(type, [2]), ValueFact(.uint8, [2])], attributes, opset: opset)
  #expect(mixed?.code == "bad-operands", sourceLocation: sourceLocation)
  try expectStrictness(
    op, [ValueFact(type, [2]), ValueFact(type, [2])], attributes, opset: opset,
    sourceLocation: sourceLocation)
}

/// Expects that a node is refused with an attribute nobody knows, with no operands, and at an
/// operator set of the future.
func expectStrictness(
  _ op: OpKey, _ inputs: [ValueFact?], _ attributes: [Attribute] = [], opset: Int = 20,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let strange = OperatorHarness.refusal(
    op, inputs, attributes + [Attribute("strange", .int(1))], opset: opset)
  #expect(strange?.message.contains("'strange'") == true, sourceLocation: sourceLocation)
  #expect(strange?.category == .unsupported, sourceLocation: sourceLocation)
  let bare = OperatorHarness.refusal(op, [], attributes, opset: opset)
  #expect(bare?.code == "bad-operands", sourceLocation: sourceLocation)
  let future = OperatorHarness.refusal(op, inputs, attributes, opset: 99)
  #expect(future?.category == .unsupported, sourceLocation: sourceLocation)
}
