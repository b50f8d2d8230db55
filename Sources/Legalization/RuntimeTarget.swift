public import Rewrite

/// A runtime that a file is written for.
public enum RuntimeTarget: String, Sendable, CaseIterable {
  /// ONNX Runtime's CPU provider.
  case onnxruntime
  /// OpenVINO's CPU plugin.
  case openvino
  /// Any runtime that follows the ONNX specification to the letter.
  case onnx
  /// NVIDIA TensorRT, by itself or as a provider of ONNX Runtime.
  case tensorrt
  /// ONNX Runtime's CUDA provider with captured graphs.
  case cudaGraphs = "cuda-graphs"
  /// Qualcomm's QNN provider.
  case qnn
  /// Apple's CoreML provider.
  case coreml
  /// NVIDIA Triton Inference Server with its ONNX Runtime backend.
  case triton

  /// Those whose gaps are known well enough to repair them; of the others, warnings tell.
  public static let legalized: [RuntimeTarget] = [.onnxruntime, .openvino, .onnx]

  /// The passes that make a graph with inferred types fit, each named after the gap it closes.
  public var passes: [any Pass] {
    switch self {
    case .onnxruntime, .triton, .cudaGraphs:
      [
        RulePass(WhereOnBool()), RulePass(BroadcastAttentionMask()), BFloat16Computation(),
        RulePass(RedundantCast()), MissingKernel(KernelGap.onnxRuntime),
      ]
    case .tensorrt, .qnn, .coreml: []
    case .openvino: Self.standardOperators + [RulePass(StaticSequence())]
    case .onnx: Self.standardOperators + [MissingKernel(KernelGap.standard)]
    }
  }

  /// What ONNX Runtime's optimiser wrote, in ONNX's own operators.
  private static var standardOperators: [any Pass] {
    [RulePass(FusedMatMulDecomposition()), RulePass(QuickGeluDecomposition())]
  }
}

/// What is wrong with a file whatever runs it.
public enum ModelDefects {
  /// Passes that repair what has one meaning, and warn of what cannot be repaired.
  ///
  /// They need a graph with inferred types.
  public static var passes: [any Pass] {
    [MissingOpsetImport(), RulePass(InvalidSqueeze()), DeletedEpsilon()]
  }
}
