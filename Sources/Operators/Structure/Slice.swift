import GraphIR
import Tensors

/// [Slice](https://onnx.ai/onnx/operators/onnx__Slice.html): a range of indices of some axes, with
/// steps of either sign; a view.
struct Slice: Operator {
  static let key: OpKey = "Slice"
  static let versions = 1...24

  private let starts: OperandOrAttribute
  private let ends: OperandOrAttribute
  private let axes: OperandOrAttribute
  private let steps: OperandOrAttribute

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(node.opset < 10 ? 1...1 : 3...5)
    starts = try OperandOrAttribute("starts", at: 1, operandSince: 10, &node)
    ends = try OperandOrAttribute("ends", at: 2, operandSince: 10, &node)
    axes = try OperandOrAttribute("axes", at: 3, operandSince: 10, &node)
    steps = OperandOrAttribute(operand: 4, of: node)
    guard starts.isPresent, ends.isPresent else {
      throw .badOperands("'starts' or 'ends' is missing")
    }
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let data = try inputs.required(0)
    guard let shape = data.shape else { return [ValueFact(data.dataType, nil)] }
    let starts = starts.dimensions(inputs)
    let ends = ends.dimensions(inputs)
    let count = starts?.count ?? ends?.count
    guard let axes = try axisNumbers(axes.fact(inputs), count: count, rank: shape.count) else {
      return [ValueFact(data.dataType, shape.map { _ in context.makeSymbol() })]
    }
    let steps = steps.isPresent ? steps.dimensions(inputs) : axes.map { _ in 1 }
    try requireEqualCounts(axes.count, starts?.count, ends?.count, steps?.count)
    var result = shape
    for (position, axis) in axes.enumerated() {
      if let start = starts?[position], let end = ends?[position],
        let step = steps?[position].value
      {
        result[axis] = try SliceExtent.count(of: shape[axis], from: start, to: end, by: step)
      } else {
        result[axis] = context.makeSymbol()
      }
    }
    var fact = ValueFact(data.dataType, result)
    if let starts = starts?.integers, let ends = ends?.integers, let steps = steps?.integers {
      fact.elements = try ElementMovement.follow([data], to: result) {
        tensors throws(OperatorError) in
        try slice(tensors[0], axes, starts, ends, steps)
      }
    }
    return [fact]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let data = try inputs.tensor(0)
    let starts = try starts.value(inputs) ?? []
    let ends = try ends.value(inputs) ?? []
    let given = try axes.value(inputs).map { OperandOrAttribute.Fact.known($0) } ?? .absent
    let axes = try axisNumbers(given, count: starts.count, rank: data.rank) ?? []
    let steps = try steps.value(inputs) ?? axes.map { _ in 1 }
    try requireEqualCounts(axes.count, starts.count, ends.count, steps.count)
    return [.tensor(try slice(data, axes, starts, ends, steps))]
  }

  private func slice(
    _ data: Tensor, _ axes: [Int], _ starts: [Int], _ ends: [Int], _ steps: [Int]
  ) throws(OperatorError) -> Tensor {
    var result = data
    for (position, axis) in axes.enumerated() {
      let extent = try SliceExtent(
        of: data.shape[axis], from: starts[position], to: ends[position], by: steps[position])
      result = result.sliced(
        axis: axis, first: extent.first, count: extent.count, step: steps[position])
    }
    return result
  }

  private func axisNumbers(
    _ axes: OperandOrAttribute.Fact, count: Int?, rank: Int
  ) throws(OperatorError) -> [Int]? {
    switch axes {
    case .unknown: return nil
    case .known(let axes): return try Axes.normalize(axes, rank: rank)
    case .absent:
      guard let count else { return nil }
      return try Axes.normalize(Array(0..<count), rank: rank)
    }
  }

  private func requireEqualCounts(_ axes: Int, _ others: Int?...) throws(OperatorError) {
    for count in others {
      guard let count, count != axes else { continue }
      throw .badOperands("\(axes) axes are sliced, but \(count) bounds or steps are given")
    }
  }
}
