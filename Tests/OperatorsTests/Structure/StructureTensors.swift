import GraphIR
import Operators
import Tensors
import Testing

extension Tensor {
  /// A vector such as `axes` or `starts`.
  static func int64(_ elements: Int64...) -> Tensor { Tensor(elements) }

  /// 0, 1, 2 … as int32 in row-major order.
  static func counting(_ dimensions: Int...) throws -> Tensor {
    let shape = try Shape(dimensions)
    return Tensor((0..<Int32(shape.elementCount)).map { $0 }, shape: shape)
  }
}

extension ValueFact {
  /// An int64 vector of known expressions.
  static func sizes(_ elements: Dimension...) -> ValueFact {
    ValueFact(.int64, [Dimension(elements.count)], elements: elements)
  }

  /// A constant vector.
  static func int64(_ elements: Int64...) -> ValueFact { ValueFact(constant: Tensor(elements)) }
}

/// Expects the integers, in row-major order, and the shape of a tensor.
func expect(
  _ tensor: Tensor, _ integers: [Int], shape: [Int],
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(tensor.integers() == integers, sourceLocation: sourceLocation)
  #expect(tensor.shape.dimensions == shape, sourceLocation: sourceLocation)
}

/// Expects a run of a node to be refused for its operands.
func expectRefusal(
  _ op: OpKey, _ inputs: [Tensor?], _ attributes: [Attribute] = [], opset: Int = 20,
  outputCount: Int = 1, sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(sourceLocation: sourceLocation) {
    _ = try OperatorHarness.run(
      op, inputs, attributes, opset: opset, outputCount: outputCount)
  } throws: { error in
    (error as? OperatorError)?.code == "bad-operands"
  }
}

let s = Dimension(symbol: "s")
let t = Dimension(symbol: "t")
