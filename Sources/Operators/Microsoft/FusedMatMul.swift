import GraphIR
import Kernels
import Tensors

/// [FusedMatMul](https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#commicrosoftfusedmatmul):
/// `alpha` A B, either stack of matrices transposed on request.
///
/// Batch axes that are transposed too are refused.
struct FusedMatMul: Operator {
  static let key = OpKey("FusedMatMul", domain: "com.microsoft")
  static let versions = 1...1

  private let alpha: Float
  private let transposeA: Bool
  private let transposeB: Bool

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...2)
    alpha = try node.float("alpha", default: 1)
    transposeA = try node.flag("transA", default: false)
    transposeB = try node.flag("transB", default: false)
    for name in ["transBatchA", "transBatchB"] where try node.flag(name, default: false) {
      throw .unsupported("attribute '\(name)' is not implemented")
    }
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let dataType = try inputs.sharedDataType(.floatingPoint, of: 0...1)
    let a = try inputs.tensorType(0).shape.map { transposeA ? $0.transposedMatrix : $0 }
    let b = try inputs.tensorType(1).shape.map { transposeB ? $0.transposedMatrix : $0 }
    return [ValueFact(dataType, try MatMul.shape(a, b))]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let (x, y) = (try inputs.tensor(0), try inputs.tensor(1))
    let a = transposeA ? x.transposed(Array(0..<x.rank).transposedMatrix) : x
    let b = transposeB ? y.transposed(Array(0..<y.rank).transposedMatrix) : y
    let shape = try Shape.concrete(MatMul.product([Dimension](a.shape), [Dimension](b.shape)))
    let result = try context.tensor(a.dataType, shape) { (output) throws(KernelError) in
      try MatrixMultiplication.multiply(a, b, alpha: alpha, into: output)
    }
    return [.tensor(result)]
  }

  /// 2 · output elements · inner length.
  func flops(inputs: [ValueFact?], outputs: [ValueFact]) -> Int? {
    let shape = inputs.optional(0)?.shape.map { transposeA ? $0.transposedMatrix : $0 }
    return Flops.product(outputs.first, inner: shape?.last)
  }
}

extension Array {
  /// The last two elements exchanged, when there are two.
  fileprivate var transposedMatrix: [Element] {
    guard count > 1 else { return self }
    var result = self
    result.swapAt(count - 1, count - 2)
    return result
  }
}
