import GraphIR

/// What structure analysis needs to know of operators.
enum OperatorClass {
  /// Products: what makes a residual branch more than elementwise arithmetic.
  static let products: Set<OpKey> = [
    "Attention", "Conv", "ConvInteger", "ConvTranspose", "Einsum", "Gemm", "MatMul",
    "MatMulInteger", "QLinearConv", "QLinearMatMul", microsoft("Attention"),
    microsoft("DynamicQuantizeMatMul"), microsoft("FusedConv"), microsoft("FusedGemm"),
    microsoft("FusedMatMul"), microsoft("GroupQueryAttention"), microsoft("MatMulIntegerToFloat"),
    microsoft("MatMulNBits"), microsoft("MultiHeadAttention"),
    microsoft("PackedMultiHeadAttention"),
  ]

  /// Whole attentions in one operator: queries, keys and values are the first three operands.
  static let attentions: Set<OpKey> = [
    "Attention", microsoft("GroupQueryAttention"), microsoft("MultiHeadAttention"),
    microsoft("PackedMultiHeadAttention"), microsoft("Attention"),
  ]

  /// Nonlinearities of feed-forward networks; SiLU is recognised as `x * Sigmoid(x)`.
  static let activations: Set<OpKey> = [
    "Elu", "Erf", "Gelu", "HardSwish", "LeakyRelu", "Mish", "Relu", "Selu", "Softplus", "Swish",
    "Tanh", microsoft("BiasGelu"), microsoft("FastGelu"), microsoft("Gelu"),
    microsoft("QuickGelu"),
  ]

  /// Operators that move, cut or repeat the elements of their first operand.
  static let movements: Set<OpKey> = [
    "Cast", "CastLike", "DepthToSpace", "Dropout", "Expand", "Flatten", "Gather", "GatherND",
    "Identity", "Pad", "Reshape", "SequenceAt", "Slice", "SpaceToDepth", "Split",
    "SplitToSequence", "Squeeze", "Tile", "Transpose", "Unsqueeze",
  ]

  /// Elementwise operators that leave hidden states what they are when the other operand is constant.
  static let scalings: Set<OpKey> = ["Add", "Div", "Mul", "Sub", "Sum", "Where"]

  /// Additions that may close a residual branch.
  static let additions: Set<OpKey> = ["Add", "Sub", "Sum"]

  /// Operators whose results depend on sizes, not on elements.
  static let sizes: Set<OpKey> = ["Shape", "Size"]

  private static func microsoft(_ type: String) -> OpKey { OpKey(type, domain: "com.microsoft") }
}
