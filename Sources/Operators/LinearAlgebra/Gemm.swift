import GraphIR
import Kernels
import Tensors

/// [Gemm](https://onnx.ai/onnx/operators/onnx__Gemm.html): `alpha` A B + `beta` C, either matrix
/// transposed on request.
///
/// Integers are computed in float64, exactly up to 2^53.
struct Gemm: Operator {
  static let key: OpKey = "Gemm"
  static let versions = 7...24

  private let alpha: Float
  private let beta: Float
  private let transposeA: Bool
  private let transposeB: Bool

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs((node.opset >= 11 ? 2 : 3)...3)
    try self.init(attributesOf: &node)
  }

  /// The attributes of a node of any operator that computes as this one does.
  init(attributesOf node: inout NodeReader) throws(OperatorError) {
    alpha = try node.float("alpha", default: 1)
    beta = try node.float("beta", default: 1)
    transposeA = try node.flag("transA", default: false)
    transposeB = try node.flag("transB", default: false)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let dataType = try inputs.sharedDataType(.numbers, of: 0...2)
    let (rows, inner) = try matrix(inputs, 0, isTransposed: transposeA, context)
    let (other, columns) = try matrix(inputs, 1, isTransposed: transposeB, context)
    if let inner = inner.value, let other = other.value, inner != other {
      throw .badOperands("the matrices have inner lengths \(inner) and \(other)")
    }
    let shape = [rows, columns]
    if let addend = try inputs.optionalTensorType(2)?.shape {
      let joined = try Broadcasting.infer([shape, addend], context)
      guard let joined, joined.count == 2, zip(joined, shape).allSatisfy(Self.mayEqual) else {
        throw .badOperands("operand 2 of shape \(addend) does not broadcast to \(shape)")
      }
    }
    return [ValueFact(dataType, shape)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let (a, b) = (try inputs.tensor(0), try inputs.tensor(1))
    let c = try inputs.optionalTensor(2)
    let shape = try Shape.checked([
      a.shape[transposeA ? 1 : 0], b.shape[transposeB ? 0 : 1],
    ])
    let result = try context.tensor(a.dataType, shape) { (output) throws(KernelError) in
      try MatrixMultiplication.gemm(
        a, b, c, alpha: alpha, beta: beta, transposeA: transposeA, transposeB: transposeB,
        into: output)
    }
    return [.tensor(result)]
  }

  /// 2 · output elements · inner length; the addend is not counted.
  func flops(inputs: [ValueFact?], outputs: [ValueFact]) -> Int? {
    guard let shape = inputs.optional(0)?.shape, shape.count == 2 else { return nil }
    return Flops.product(outputs.first, inner: shape[transposeA ? 0 : 1])
  }

  private func matrix(
    _ inputs: [ValueFact?], _ position: Int, isTransposed: Bool, _ context: any InferenceContext
  ) throws(OperatorError) -> (rows: Dimension, columns: Dimension) {
    guard let shape = try inputs.tensorType(position).shape else {
      return (context.makeSymbol(), context.makeSymbol())
    }
    guard shape.count == 2 else {
      throw .badOperands("operand \(position) has shape \(shape), a matrix is expected")
    }
    return isTransposed ? (shape[1], shape[0]) : (shape[0], shape[1])
  }

  private static func mayEqual(_ a: Dimension, _ b: Dimension) -> Bool {
    a == b || a.value == nil || b.value == nil
  }
}
