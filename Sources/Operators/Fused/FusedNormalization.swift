import GraphIR
import Kernels
import Tensors

/// factor · (norm(x) · scale + bias) + shift over the last axis, written by a fusion in place of a
/// norm and the modulation behind it.
///
/// Operands: x, then scale, bias, factor and shift, each of which may be absent; each is `float32`,
/// `float16` or `bfloat16`, and so is the result, by `to`, or else of the type of x. All is computed in
/// `float32`; a result of a half type is rounded once, at the end.
/// Scale and bias are [D]; factor and shift broadcast to x, which keeps its shape. `kind` is
/// `layer` (centred) or `rms`.
struct FusedNormalization: PlacedOperator {
  static let key = OpKey("FusedNormalization", domain: "ai.ditcache")
  static let versions = 1...1

  private let epsilon: Float
  private let isCentered: Bool
  private let type: DataType?

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...5)
    epsilon = try node.float("epsilon", default: 1e-5)
    isCentered = try node.word("kind", in: ["layer", "rms"], default: "layer") == "layer"
    type = try node.resultType()
  }

  var overwritableOperands: [Int] { [0] }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let x = try inputs.tensorType(0)
    return [ValueFact(type ?? x.dataType, x.shape)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let x = try inputs.tensor(0)
    let (scale, bias) = (try inputs.optionalTensor(1), try inputs.optionalTensor(2))
    let modulation = Modulation(
      factor: try inputs.optionalTensor(3), shift: try inputs.optionalTensor(4))
    let result = try context.result(type ?? x.dataType, x.shape) { (output) throws(KernelError) in
      if isCentered {
        try Normalization.layerNorm(
          x, axis: x.rank - 1, scale: scale, bias: bias, epsilon: epsilon, modulation: modulation,
          into: output)
      } else {
        try Normalization.rmsNorm(
          x, axis: x.rank - 1, scale: scale, epsilon: epsilon, modulation: modulation,
          into: output)
      }
    }
    return [.tensor(result)]
  }
}
