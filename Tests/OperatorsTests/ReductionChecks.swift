import GraphIR
import Operators
import Tensors
import Testing

/// Checks of a reduction on float32 against a loop in double precision: every set of axes of a
/// tensor of rank 3, axes kept and dropped, given as attribute and as operand.
///
/// `operandSince` is the first operator set in which the axes are an operand.
func checkReduction(
  _ op: OpKey, operandSince: Int = 18, tolerance: Float = 1e-6,
  sourceLocation: SourceLocation = #_sourceLocation, _ summarise: ([Double]) -> Double
) throws {
  let x = try Tensor.pattern(2, 3, 4, seed: 5, scale: 2)
  let axisSets = [[0], [1], [-1], [0, 2], [1, -3], [0, 1, 2], []]
  for axes in axisSets {
    for keepsAxes in [true, false] {
      let normal = axes.isEmpty ? [0, 1, 2] : axes.map { $0 < 0 ? $0 + 3 : $0 }
      let expected = reduce(x, normal, summarise)
      let shape = (0..<3).compactMap { axis in
        normal.contains(axis) ? (keepsAxes ? 1 : nil) : x.shape[axis]
      }
      let keep = Attribute("keepdims", .int(keepsAxes ? 1 : 0))
      let attributes = axes.isEmpty ? [keep] : [keep, Attribute("axes", .ints(axes))]
      let old = try OperatorHarness.run(op, [x], attributes, opset: operandSince - 1)
      expectClose(
        old[0], expected, shape: shape, tolerance: tolerance, sourceLocation: sourceLocation)
      let operand = try Tensor.of(axes.map { Int64($0) }, axes.count)
      let new = try OperatorHarness.run(
        op, [try x.scattered(), axes.isEmpty ? nil : operand], [keep], opset: operandSince)
      expectClose(
        new[0], expected, shape: shape, tolerance: tolerance, sourceLocation: sourceLocation)
    }
  }
  let identity = try OperatorHarness.run(
    op, [x], [Attribute("noop_with_empty_axes", .int(1))], opset: operandSince)
  expectClose(
    identity[0], x.floats.map { Float(summarise([Double($0)])) }, shape: [2, 3, 4],
    tolerance: tolerance, sourceLocation: sourceLocation)
  try checkReductionTyping(op, operandSince, sourceLocation)
}

private func checkReductionTyping(
  _ op: OpKey, _ operandSince: Int, _ sourceLocation: SourceLocation
) throws {
  let size = Dimension(symbol: "s")
  let fact = ValueFact(.float32, [2, size, 5])
  let axes = ValueFact(constant: try Tensor.of([-1] as [Int64], 1))
  let kept = try OperatorHarness.infer(op, [fact, axes])
  #expect(kept[0].shape == [2, size, 1], sourceLocation: sourceLocation)
  let unknown = try OperatorHarness.infer(op, [fact, ValueFact(.int64, [1])])
  #expect(unknown[0].rank == 3, sourceLocation: sourceLocation)
  let dropped = try OperatorHarness.infer(
    op, [fact, ValueFact(.int64, [1])], [Attribute("keepdims", .int(0))])
  #expect(dropped[0].shape == nil, sourceLocation: sourceLocation)

  let outside = OperatorHarness.refusal(
    op, [fact], [Attribute("axes", .ints([3]))], opset: operandSince - 1)
  #expect(outside?.code == "bad-operands", sourceLocation: sourceLocation)
  let twice = OperatorHarness.refusal(
    op, [fact], [Attribute("axes", .ints([2, -1]))], opset: operandSince - 1)
  #expect(twice?.code == "bad-operands", sourceLocation: sourceLocation)
  let misplaced = OperatorHarness.refusal(
    op, [fact], [Attribute("axes", .ints([0]))], opset: operandSince)
  #expect(misplaced?.message.contains("'axes'") == true, sourceLocation: sourceLocation)
  try expectStrictness(op, [fact], sourceLocation: sourceLocation)
}

/// Summaries over the axes, in row-major order of what remains.
private func reduce(
  _ x: Tensor, _ axes: [Int], _ summarise: ([Double]) -> Double
) -> [Float] {
  let strides = x.shape.rowMajorStrides
  var groups: [Int: [Double]] = [:]
  for (position, element) in x.floats.enumerated() {
    var key = 0
    for axis in 0..<x.rank where !axes.contains(axis) {
      let index = position / strides[axis] % x.shape[axis]
      key = key * x.shape[axis] + index
    }
    groups[key, default: []].append(Double(element))
  }
  return groups.sorted { $0.key < $1.key }.map { Float(summarise($0.value)) }
}
