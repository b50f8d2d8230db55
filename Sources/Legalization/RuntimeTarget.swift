public import Rewrite

/// A runtime that a file is written for.
public enum RuntimeTarget: String, Sendable, CaseIterable {
  /// ONNX Runtime's CPU provider.
  case onnxruntime
  /// OpenVINO's CPU plugin.
  case openvino
  /// Any runtime that follows the ONNX specification to the letter.
  case onnx

  /// The passes that make a graph fit, each named after the defect or gap it repairs.
  public var passes: [any Pass] {
    switch self {
    case .onnxruntime: [RulePass(WhereOnBool()), RulePass(BroadcastAttentionMask())]
    case .openvino, .onnx: []
    }
  }
}
