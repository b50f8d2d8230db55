import GraphIR
import Kernels
import Tensors

/// [Einsum](https://onnx.ai/onnx/operators/onnx__Einsum.html): products of operands summed over the
/// labels that the equation drops.
///
/// Labels are single letters. An ellipsis and operands that broadcast along a label are refused.
struct Einsum: Operator {
  static let key: OpKey = "Einsum"
  static let versions = 12...24

  private let equation: EinsumEquation

  init(_ node: inout NodeReader) throws(OperatorError) {
    guard let text = try node.string("equation") else {
      throw .badOperands("attribute 'equation' is missing")
    }
    equation = try EinsumEquation(text)
    try node.requireInputs(equation.operands.count...equation.operands.count)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let dataType = try inputs.sharedDataType(.numbers, of: inputs.indices)
    var sizes: [Character: Dimension] = [:]
    for (position, labels) in equation.operands.enumerated() {
      guard let shape = try inputs.tensorType(position).shape else { continue }
      guard shape.count == labels.count else {
        throw .badOperands("operand \(position) of shape \(shape) has not \(labels.count) labels")
      }
      for (label, size) in zip(labels, shape) {
        guard let known = sizes[label] else {
          sizes[label] = size
          continue
        }
        if let known = known.value, let size = size.value, known != size {
          throw .badOperands("label '\(label)' stands for sizes \(known) and \(size)")
        }
        if known.value == nil { sizes[label] = size }
      }
    }
    return [ValueFact(dataType, equation.result.map { sizes[$0] ?? context.makeSymbol() })]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    var total: LabelledTensor?
    for (position, labels) in equation.operands.enumerated() {
      let needed = Set(equation.operands[(position + 1)...].joined()).union(equation.result)
      let operand = try LabelledTensor(try inputs.tensor(position), labels)
      if let left = total {
        total = try left.combined(with: operand, keeping: needed, context)
      } else {
        total = try operand.summed(keeping: needed, context)
      }
    }
    guard let total else { throw .badOperands("an equation has at least one operand") }
    return [.tensor(try total.arranged(equation.result))]
  }
}

/// The labels of operands and result.
private struct EinsumEquation {
  let operands: [[Character]]
  let result: [Character]

  init(_ text: String) throws(OperatorError) {
    let sides = text.filter { $0 != " " }.split(separator: "->", omittingEmptySubsequences: false)
    let operands = sides[0].split(separator: ",", omittingEmptySubsequences: false).map(Array.init)
    let labels = operands.flatMap { $0 }
    let result: [Character] =
      sides.count == 2
      ? Array(sides[1])
      : Set(labels).filter { label in labels.count { $0 == label } == 1 }.sorted()
    guard sides.count <= 2, (labels + result).allSatisfy({ $0.isASCII && $0.isLetter }) else {
      throw .unsupported("equation '\(text)' is not made of letters, commas and one arrow")
    }
    guard Set(result).count == result.count, Set(result).isSubset(of: labels) else {
      throw .badOperands("the result of equation '\(text)' has labels that are new or repeated")
    }
    self.operands = operands
    self.result = result
  }
}

/// A tensor whose axes have names, each one once.
private struct LabelledTensor {
  private let tensor: Tensor
  private let labels: [Character]

  /// A label that is written several times means the diagonal.
  init(_ tensor: Tensor, _ labels: [Character]) throws(OperatorError) {
    var unique: [Character] = []
    var dimensions: [Int] = []
    var strides: [Int] = []
    for (axis, label) in labels.enumerated() {
      if let known = unique.firstIndex(of: label) {
        strides[known] += tensor.strides[axis]
      } else {
        unique.append(label)
        dimensions.append(tensor.shape[axis])
        strides.append(tensor.strides[axis])
      }
    }
    let shape = try Shape.checked(dimensions)
    self.init(unique: tensor.view(shape: shape, strides: strides), unique)
  }

  private init(unique tensor: Tensor, _ labels: [Character]) {
    self.tensor = tensor
    self.labels = labels
  }

  /// The axes in another order; a label that is missing becomes an axis of length 1.
  func arranged(_ order: [Character]) throws(OperatorError) -> Tensor {
    let axes = order.map { labels.firstIndex(of: $0) }
    let shape = try Shape.checked(axes.map { $0.map { tensor.shape[$0] } ?? 1 })
    return tensor.view(shape: shape, strides: axes.map { $0.map { tensor.strides[$0] } ?? 0 })
  }

  /// The sum over all labels that nobody needs.
  func summed(
    keeping needed: Set<Character>, _ context: any RunContext
  ) throws(OperatorError) -> LabelledTensor {
    let gone = labels.indices.filter { !needed.contains(labels[$0]) }
    guard !gone.isEmpty else { return self }
    let kept = labels.filter(needed.contains)
    let shape = try arranged(kept).shape
    let sum = try context.tensor(tensor.dataType, shape) { output throws(KernelError) in
      try Reduction.reduce(.sum, tensor, axes: Array(gone), into: output)
    }
    return LabelledTensor(unique: sum, kept)
  }

  /// The product with another tensor, summed over the labels that nobody needs.
  func combined(
    with other: LabelledTensor, keeping needed: Set<Character>, _ context: any RunContext
  ) throws(OperatorError) -> LabelledTensor {
    let a = try summed(keeping: needed.union(other.labels), context)
    let b = try other.summed(keeping: needed.union(labels), context)
    let shared = a.labels.filter(b.labels.contains)
    let (batch, inner) = (shared.filter(needed.contains), shared.filter { !needed.contains($0) })
    let rows = a.labels.filter { !shared.contains($0) }
    let columns = b.labels.filter { !shared.contains($0) }
    let order = batch + rows + columns
    let dimensions = order.map { a.size(of: $0) ?? b.size(of: $0) ?? 1 }
    let shape = try Shape.checked(dimensions)
    let result: Tensor
    if inner.isEmpty {
      let (left, right) = (try a.arranged(order), try b.arranged(order))
      result = try context.tensor(tensor.dataType, shape) { output throws(KernelError) in
        try Elementwise.binary(.multiply, left, right, into: output)
      }
    } else {
      let left = try a.grouped(batch, rows, inner)
      let right = try b.grouped(batch, inner, columns)
      let stack = try Shape.checked([left.shape[0], left.shape[1], right.shape[2]])
      let product = try context.tensor(tensor.dataType, stack) { output throws(KernelError) in
        try MatrixMultiplication.multiply(left, right, into: output)
      }
      result = product.view(shape: shape, strides: shape.rowMajorStrides)
    }
    return LabelledTensor(unique: result, order)
  }

  private func size(of label: Character) -> Int? {
    labels.firstIndex(of: label).map { tensor.shape[$0] }
  }

  /// Three groups of labels as three axes.
  private func grouped(_ groups: [Character]...) throws(OperatorError) -> Tensor {
    let ordered = try arranged(groups.flatMap { $0 }).contiguous()
    let shape = try Shape.checked(
      groups.map { $0.reduce(1) { $0 * (size(of: $1) ?? 1) } })
    return ordered.view(shape: shape, strides: shape.rowMajorStrides)
  }
}
