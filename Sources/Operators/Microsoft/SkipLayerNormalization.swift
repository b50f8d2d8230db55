import GraphIR
import Kernels
import Tensors

/// [SkipLayerNormalization](https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#commicrosoftskiplayernormalization):
/// LayerNormalization of input + skip + bias.
struct SkipLayerNormalization: SkipNormalization {
  static let key = OpKey("SkipLayerNormalization", domain: "com.microsoft")
  static let versions = 1...1
  static let biasPosition = 4

  let epsilon: Float
  let resultCount: Int

  func normalize(
    _ sum: Tensor, _ inputs: [RuntimeValue?], into output: Tensor
  ) throws(OperatorError) {
    let (scale, shift) = (try inputs.tensor(2), try inputs.optionalTensor(3))
    try OperatorError.translating { () throws(KernelError) in
      try Normalization.layerNorm(
        sum, axis: sum.rank - 1, scale: scale, bias: shift, epsilon: epsilon, into: output)
    }
  }
}
