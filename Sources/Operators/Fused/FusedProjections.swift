import GraphIR
import Kernels
import Tensors

/// Products with one x, activation(x W + bias) each, written by a fusion in place of as many
/// `FusedLinear` and MatMul.
///
/// Operands are x [..., K], then the weight [K, N] and the bias [N] of each product, of which the bias
/// may be absent; there is a result for each. `to` lists the results' types and `activations` their
/// functions, none where it is missing. Results have the bits of separate products.
struct FusedProjections: Operator {
  static let key = OpKey("FusedProjections", domain: "ai.ditcache")
  static let versions = 1...1

  private var products: [FusedLinear]

  init(_ node: inout NodeReader) throws(OperatorError) {
    let count = node.outputCount
    try node.requireInputs(2 * count + 1...2 * count + 1)
    let precision = try node.precision()
    let types = try node.ints("to") ?? []
    let words = try node.strings("activations") ?? [String](repeating: "none", count: count)
    guard count > 0, types.count == count, words.count == count else {
      throw .badOperands(
        "\(types.count) types and \(words.count) activations are given for \(count) results")
    }
    products = []
    for (code, word) in zip(types, words) {
      guard let type = Int32(exactly: code).flatMap(DataType.init(rawValue:)), type.isFusible,
        let activation = LinearProduct.Activation(rawValue: word)
      else { throw .badOperands("a result of type \(code) and activation '\(word)'") }
      products.append(FusedLinear(activation, to: type, precision))
    }
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    var results: [ValueFact] = []
    for (position, product) in products.enumerated() {
      results += try product.infer(Self.operands(of: position, in: inputs), context)
    }
    return results
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let x = try inputs.tensor(0)
    var terms: [LinearProduct.Term] = []
    for (position, product) in products.enumerated() {
      terms.append(try product.term(Self.operands(of: position, in: inputs), context))
    }
    try OperatorError.translating { () throws(KernelError) in try LinearProduct.run(x, terms) }
    return terms.map { .tensor($0.output) }
  }

  /// 2 · output elements · inner length, for each product.
  func flops(inputs: [ValueFact?], outputs: [ValueFact]) -> Int? {
    var total: Int? = 0
    for (position, (product, output)) in zip(products, outputs).enumerated() {
      let own = product.flops(inputs: Self.operands(of: position, in: inputs), outputs: [output])
      total = total.flatMap { total in own.flatMap { try? Checked.sum(total, $0) } }
    }
    return total
  }

  /// x, weight and bias of one product.
  private static func operands<Value>(of product: Int, in inputs: [Value?]) -> [Value?] {
    [0, 2 * product + 1, 2 * product + 2].map { $0 < inputs.count ? inputs[$0] : nil }
  }
}

extension FusedProjections: PreparingOperator {
  var preparedOperands: [Int] { products.indices.map { 2 * $0 + 1 } }

  var preparation: String { products[0].preparation }

  func prepare(_ operand: Tensor) throws(OperatorError) -> Tensor? {
    try products[0].prepare(operand)
  }

  func taking(prepared position: Int, of shape: Shape) -> any Operator {
    var result = self
    let product = (position - 1) / 2
    result.products[product] = products[product].takingPanels(of: shape)
    return result
  }
}
