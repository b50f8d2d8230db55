import GraphIR
import Kernels
import Tensors

/// addend + factor · activation(x W + bias), written by a fusion in place of a matrix product and
/// the operators behind it.
///
/// x is [..., K] and W [K, N], or [N, K] with `transpose_weight`. The others are optional: bias [N];
/// factor, whose elements differ along N and, if it has more than one row, are repeated over equal
/// parts of the rows; addend of the result's shape. Each is `float32`, `float16` or `bfloat16`, and so
/// is the result, by `to`, or else of the type of x. All is computed in `float32`, where every part
/// rounds as it would alone, and a result of a half type is rounded at the end; with `sum_type` also
/// before factor and addend, with `product_type` behind the factor. With
/// `precision` `bfloat16` the factors of the product are rounded first.
struct FusedLinear: PlacedOperator {
  static let key = OpKey("FusedLinear", domain: "ai.ditcache")
  static let versions = 1...1

  private let isTransposed: Bool
  private let activation: LinearProduct.Activation
  private let precision: LinearProduct.Precision
  private let type: DataType?
  private let sumType: DataType
  private let productType: DataType
  /// The weight's shape when it comes as panels.
  private var packedShape: Shape?

  /// The activation of x W + bias, of a result type.
  init(
    _ activation: LinearProduct.Activation, to type: DataType, _ precision: LinearProduct.Precision
  ) {
    self.activation = activation
    self.type = type
    self.precision = precision
    isTransposed = false
    (sumType, productType) = (.float32, .float32)
  }

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...5)
    isTransposed = try node.flag("transpose_weight", default: false)
    let names = LinearProduct.Activation.allCases.map(\.rawValue)
    let name = try node.word("activation", in: names, default: names[0])
    activation = LinearProduct.Activation(rawValue: name) ?? .none
    precision = try node.precision()
    type = try node.resultType()
    sumType = try node.resultType("sum_type") ?? .float32
    productType = try node.resultType("product_type") ?? .float32
  }

  func canWrite(into layout: Tensor) -> Bool { LinearProduct.canWrite(into: layout) }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let x = try inputs.tensorType(0)
    var stored = try inputs.tensorType(1).shape
    if let packedShape { stored = [Dimension](packedShape) }
    guard let shape = x.shape, let weight = stored, weight.count == 2 else {
      return [ValueFact(type ?? x.dataType, nil)]
    }
    let (inner, columns) = isTransposed ? (weight[1], weight[0]) : (weight[0], weight[1])
    guard shape.last?.value == inner.value else {
      throw .badOperands("a product of shapes \(shape) and \(weight) is not defined")
    }
    return [ValueFact(type ?? x.dataType, shape.dropLast() + [columns])]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let (x, term) = (try inputs.tensor(0), try term(inputs, context))
    try OperatorError.translating { () throws(KernelError) in try LinearProduct.run(x, [term]) }
    return [.tensor(term.output)]
  }

  /// The product, with memory for its result.
  func term(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> LinearProduct.Term {
    let (x, stored) = (try inputs.tensor(0), try inputs.tensor(1))
    let product = LinearProduct(
      bias: try inputs.optionalTensor(2), activation: activation,
      factor: try inputs.optionalTensor(3), addend: try inputs.optionalTensor(4),
      sumType: sumType, productType: productType, precision: precision)
    let weight: LinearProduct.Weight
    let columns: Int
    if let packedShape {
      columns = packedShape[isTransposed ? 0 : 1]
      let depth = x.shape[x.rank - 1]
      weight = .rounded(RoundedWeight(panels: stored, depth: depth, columns: columns))
    } else {
      let matrix = oriented(stored)
      columns = matrix.shape[1]
      weight = .stored(matrix)
    }
    let shape = try Shape.checked(x.shape.dimensions.dropLast() + [columns])
    return LinearProduct.Term(
      product, weight, into: try context.makeResult(type ?? x.dataType, shape))
  }

  private func oriented(_ stored: Tensor) -> Tensor {
    isTransposed && packedShape == nil ? stored.transposed([1, 0]) : stored
  }

  /// 2 · output elements · inner length.
  func flops(inputs: [ValueFact?], outputs: [ValueFact]) -> Int? {
    Flops.product(outputs.first, inner: inputs.optional(0)?.shape?.last)
  }
}

extension FusedLinear: PreparingOperator {
  var preparedOperands: [Int] { [1] }

  var preparation: String { "bfloat16 panels\(isTransposed ? ", transposed" : "")" }

  /// Panels of a `float32` weight, half as large, where products round their factors.
  func prepare(_ operand: Tensor) throws(OperatorError) -> Tensor? {
    guard precision == .bfloat16, operand.dataType == .float32 else { return nil }
    return try OperatorError.translating { () throws(KernelError) in
      try RoundedWeight(packing: oriented(operand))?.panels
    }
  }

  func taking(prepared position: Int, of shape: Shape) -> any Operator { takingPanels(of: shape) }

  /// The product that takes panels of a weight of a shape.
  func takingPanels(of shape: Shape) -> FusedLinear {
    var result = self
    result.packedShape = shape
    return result
  }
}

extension NodeReader {
  /// How the factors of products are rounded, by the attribute `precision`.
  mutating func precision() throws(OperatorError) -> LinearProduct.Precision {
    let words = LinearProduct.Precision.allCases.map(\.rawValue)
    let word = try word("precision", in: words, default: words[0])
    return LinearProduct.Precision(rawValue: word) ?? .float32
  }
}
