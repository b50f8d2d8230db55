import GraphIR
import Tensors

/// Operators that a runtime cannot compute in some element types, and the type that stands in.
///
/// Every gap is closed by Casts around the operator; for integers and bfloat16 the type that stands
/// in holds every number of the other.
struct KernelGap: Sendable {
  /// The operators.
  let ops: Set<OpKey>
  /// The types they lack.
  let lacking: Set<DataType>
  /// The type to compute in.
  let substitute: DataType
  /// The first operator set version without the gap, if there is one.
  let closed: Int?

  init(
    _ lacking: Set<DataType>, as substitute: DataType, until closed: Int? = nil, in ops: OpKey...
  ) {
    self.ops = Set(ops)
    self.lacking = lacking
    self.substitute = substitute
    self.closed = closed
  }

  /// Gaps of ONNX Runtime 1.32's CPU provider, found by loading one model an operator and type.
  ///
  /// Bfloat16, which hardly any of its kernels take, is `BFloat16Computation`'s; `Where` on bool is
  /// `WhereOnBool`'s.
  static let onnxRuntime = [
    KernelGap(
      [.float64], as: .float32,
      in: "AveragePool", "Conv", "ConvTranspose", "Elu", "Erf", "Gelu", "GlobalAveragePool",
      "HardSwish", "InstanceNormalization", "LeakyRelu", "Mean", "Mish", "PRelu", "Resize",
      "Softplus"),
    KernelGap(
      [.int16, .uint16], as: .int32,
      in: "ArgMax", "ArgMin", "Max", "Min", "NonZero", "Pad", "Where"),
    KernelGap([.int8], as: .int32, in: "NonZero"),
    KernelGap([.int8, .uint8, .int16, .uint16, .int32, .uint32], as: .int64, in: "Trilu"),
    KernelGap([.int16], as: .int32, in: "Relu"),
    KernelGap(
      [.uint32], as: .int64,
      in: "ArgMax", "ArgMin", "CumSum", "NonZero", "ReduceL1", "ReduceMax", "ReduceMin",
      "ReduceProd", "ReduceSum", "ReduceSumSquare", "TopK"),
  ]

  /// Types that ONNX's own definitions admit only from some operator set on (onnx 1.23, schemas of
  /// all versions): models of torch's default operator set 20 use bfloat16 in them all the same.
  static let standard = [
    KernelGap(
      [.bfloat16], as: .float32, until: 16, in: "GreaterOrEqual", "LeakyRelu", "LessOrEqual",
      "PRelu", "Where"),
    KernelGap([.bfloat16], as: .float32, until: 17, in: "LayerNormalization"),
    KernelGap([.bfloat16], as: .float32, until: 21, in: "GroupNormalization"),
    KernelGap(
      [.bfloat16], as: .float32, until: 22,
      in: "AveragePool", "Conv", "ConvTranspose", "Cos", "Elu", "GlobalAveragePool", "HardSigmoid",
      "HardSwish", "InstanceNormalization", "MaxPool", "Mish", "Round", "Sin", "Softplus"),
    KernelGap([.bfloat16], as: .float32, until: 24, in: "TopK"),
    KernelGap([.bfloat16], as: .float32, until: 27, in: "Range"),
    KernelGap([.bfloat16], as: .float32, until: 28, in: "Celu", "Einsum"),
    KernelGap([.bfloat16], as: .float32, in: "OneHot"),
  ]
}
