import GraphIR
import Kernels
import Tensors

/// [SkipSimplifiedLayerNormalization](https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#commicrosoftskipsimplifiedlayernormalization):
/// RMSNormalization of input + skip + bias.
struct SkipSimplifiedLayerNormalization: SkipNormalization {
  static let key = OpKey("SkipSimplifiedLayerNormalization", domain: "com.microsoft")
  static let versions = 1...1
  static let biasPosition = 3

  let epsilon: Float
  let resultCount: Int

  func normalize(
    _ sum: Tensor, _ inputs: [RuntimeValue?], into output: Tensor
  ) throws(OperatorError) {
    let scale = try inputs.tensor(2)
    try OperatorError.translating { () throws(KernelError) in
      try Normalization.rmsNorm(
        sum, axis: sum.rank - 1, scale: scale, epsilon: epsilon, into: output)
    }
  }
}
