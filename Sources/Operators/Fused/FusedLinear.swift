import GraphIR
import Kernels
import Tensors

/// addend + factor · activation(x W + bias), written by a fusion in place of a matrix product and
/// the operators behind it.
///
/// x is `float32` [..., K] and W [K, N], or [N, K] with `transpose_weight`. The others are optional:
/// bias [N]; factor, whose elements differ along N and, if it has more than one row, are repeated
/// over equal parts of the rows; addend of the result's shape. Every part rounds as it would alone;
/// with `precision` `bfloat16` the factors of the product are rounded first.
struct FusedLinear: Operator {
  static let key = OpKey("FusedLinear", domain: "ai.ditcache")
  static let versions = 1...1

  private let isTransposed: Bool
  private let activation: LinearProduct.Activation
  private let precision: LinearProduct.Precision

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...5)
    isTransposed = try node.flag("transpose_weight", default: false)
    let names = LinearProduct.Activation.allCases.map(\.rawValue)
    let name = try node.word("activation", in: names, default: names[0])
    activation = LinearProduct.Activation(rawValue: name) ?? .none
    let precisions = LinearProduct.Precision.allCases.map(\.rawValue)
    let word = try node.word("precision", in: precisions, default: precisions[0])
    precision = LinearProduct.Precision(rawValue: word) ?? .float32
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let x = try inputs.tensorType(0)
    guard let shape = x.shape, let weight = try inputs.tensorType(1).shape, weight.count == 2
    else { return [ValueFact(x.dataType, nil)] }
    let (inner, columns) = isTransposed ? (weight[1], weight[0]) : (weight[0], weight[1])
    guard shape.last?.value == inner.value else {
      throw .badOperands("a product of shapes \(shape) and \(weight) is not defined")
    }
    return [ValueFact(x.dataType, shape.dropLast() + [columns])]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let (x, stored) = (try inputs.tensor(0), try inputs.tensor(1))
    let weight = isTransposed ? stored.transposed([1, 0]) : stored
    let shape = try Shape.checked(x.shape.dimensions.dropLast() + [weight.shape[1]])
    let product = LinearProduct(
      bias: try inputs.optionalTensor(2), activation: activation,
      factor: try inputs.optionalTensor(3), addend: try inputs.optionalTensor(4),
      precision: precision)
    let result = try context.tensor(x.dataType, shape) { (output) throws(KernelError) in
      try product.run(x, weight, into: output)
    }
    return [.tensor(result)]
  }

  /// 2 · output elements · inner length.
  func flops(inputs: [ValueFact?], outputs: [ValueFact]) -> Int? {
    Flops.product(outputs.first, inner: inputs.optional(0)?.shape?.last)
  }
}
