import GraphIR
import Operators
import Tensors
import Testing

/// Operators on float16 and bfloat16, against the same operators on float32 whose operands are
/// representable in both.
@Suite struct HalfPrecisionTests {
  private struct Case: Sendable {
    let op: OpKey
    let shapes: [[Int]]
    var attributes: [String: Int] = [:]
    var opset = 20
  }

  private static let cases = [
    Case(op: "Add", shapes: [[2, 8], [8]]), Case(op: "Max", shapes: [[2, 8], [8]]),
    Case(op: "Exp", shapes: [[2, 8]]), Case(op: "Gelu", shapes: [[2, 8]]),
    Case(op: "LeakyRelu", shapes: [[2, 8]]), Case(op: "Swish", shapes: [[2, 8]], opset: 24),
    Case(op: "ReduceMean", shapes: [[2, 8]]), Case(op: "ReduceL2", shapes: [[2, 8]]),
    Case(op: "CumSum", shapes: [[2, 8]]), Case(op: "Softmax", shapes: [[2, 8]]),
    Case(op: "LogSoftmax", shapes: [[2, 8]]),
    Case(op: "LayerNormalization", shapes: [[2, 8], [8], [8]]),
    Case(op: "RMSNormalization", shapes: [[2, 8], [8]], opset: 23),
    Case(
      op: "GroupNormalization", shapes: [[2, 4, 3], [4], [4]], attributes: ["num_groups": 2],
      opset: 21),
    Case(op: "MatMul", shapes: [[3, 4, 8], [8, 5]]),
    Case(op: "Gemm", shapes: [[4, 8], [8, 5], [5]]),
    Case(op: "Conv", shapes: [[1, 2, 6, 6], [3, 2, 3, 3], [3]]),
    Case(op: "Attention", shapes: [[1, 2, 3, 8], [1, 2, 4, 8], [1, 2, 4, 8]], opset: 23),
    Case(
      op: "Attention", shapes: [[1, 3, 16], [1, 4, 16], [1, 4, 16]],
      attributes: ["q_num_heads": 2, "kv_num_heads": 2], opset: 23),
  ]

  @Test(arguments: cases.indices, [DataType.float16, .bfloat16])
  func resultsAreThoseOfFloat32Rounded(number: Int, type: DataType) throws {
    let test = Self.cases[number]
    let attributes = test.attributes.sorted { $0.key < $1.key }
      .map { Attribute($0.key, .int($0.value)) }
    let extra = test.op == "CumSum" ? [try Tensor.of([1] as [Int64])] : []
    let narrow = try test.shapes.enumerated().map { seed, dimensions in
      let shape = try Shape(dimensions)
      let elements = try Tensor.pattern(shape.elementCount, seed: seed + 1)
        .view(shape: shape, strides: shape.rowMajorStrides)
      return try cast(elements, to: type)
    }
    let wide = try narrow.map { try cast($0, to: .float32) }
    let result = try OperatorHarness.run(test.op, narrow + extra, attributes, opset: test.opset)[0]
    let exact = try OperatorHarness.run(test.op, wide + extra, attributes, opset: test.opset)[0]
    #expect(result.dataType == type)
    expectClose(
      try cast(result, to: .float32), exact.floats, shape: exact.shape.dimensions,
      tolerance: type == .float16 ? 0x1p-10 : 0x1p-7)
  }

  private func cast(_ tensor: Tensor, to type: DataType) throws -> Tensor {
    try OperatorHarness.run("Cast", [tensor], [Attribute("to", .int(Int(type.rawValue)))])[0]
  }
}
