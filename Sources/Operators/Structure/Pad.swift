import GraphIR
import Kernels
import Tensors

/// [Pad](https://onnx.ai/onnx/operators/onnx__Pad.html): a border of one value around the operand,
/// or of its own elements mirrored, repeated or wrapped; a negative width removes from it.
struct Pad: Operator {
  static let key: OpKey = "Pad"
  static let versions = 2...24

  private let pads: OperandOrAttribute
  private let axes: OperandOrAttribute
  private let value: Float?
  private let mode: String

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(node.opset < 11 ? 1...1 : 2...(node.opset < 18 ? 3 : 4))
    pads = try OperandOrAttribute("pads", at: 1, operandSince: 11, &node)
    axes = OperandOrAttribute(operand: 3, of: node)
    value = node.opset < 11 ? try node.float("value", default: 0) : nil
    mode = try node.word(
      "mode", in: ["constant", "reflect", "edge"] + (node.opset >= 19 ? ["wrap"] : []),
      default: "constant")
    guard pads.isPresent else { throw .badOperands("'pads' is missing") }
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let data = try inputs.required(0)
    guard let shape = data.shape else { return [ValueFact(data.dataType, nil)] }
    let axes = axes.fact(inputs)
    guard axes != .unknown, let widths = pads.dimensions(inputs) else {
      return [ValueFact(data.dataType, shape.map { _ in context.makeSymbol() })]
    }
    let numbers = if case .known(let numbers) = axes { numbers } else { nil as [Int]? }
    let borders = try borders(widths, numbers, rank: shape.count)
    let result = shape.indices.map { shape[$0] + borders.before[$0] + borders.after[$0] }
    return [ValueFact(data.dataType, result)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let data = try inputs.tensor(0)
    let widths = try pads.value(inputs)?.map { Dimension($0) } ?? []
    let borders = try borders(widths, axes.value(inputs), rank: data.rank)
    var shape: [Dimension] = []
    for axis in 0..<data.rank {
      shape.append(Dimension(data.shape[axis]) + borders.before[axis] + borders.after[axis])
    }
    guard mode == "constant" else {
      return [.tensor(try extended(data, borders.before, .concrete(shape), context))]
    }
    let result = try context.makeTensor(data.dataType, .concrete(shape))
    Copying.fill(result, with: try filling(inputs, data.dataType))
    var (source, target) = (data, result)
    for axis in 0..<data.rank {
      let before = borders.before[axis].value ?? 0
      let first = min(max(0, -before), data.shape[axis])
      let place = max(0, before)
      let count = min(data.shape[axis] - first, result.shape[axis] - place)
      guard count > 0 else { return [.tensor(result)] }
      source = source.sliced(axis: axis, first: first, count: count)
      target = target.sliced(axis: axis, first: place, count: count)
    }
    Copying.copy(source, into: target)
    return [.tensor(result)]
  }

  /// The operand continued by its own elements, one axis after another.
  private func extended(
    _ data: Tensor, _ before: [Dimension], _ shape: Shape, _ context: any RunContext
  ) throws(OperatorError) -> Tensor {
    var result = data
    for axis in 0..<data.rank {
      let (size, start) = (data.shape[axis], before[axis].value ?? 0)
      guard shape[axis] != size || start != 0 else { continue }
      guard size > 0 else { throw .badOperands("an empty axis cannot be continued") }
      let indices = (0..<shape[axis]).map { source(of: $0 - start, in: size) }
      var dimensions = result.shape.dimensions
      dimensions[axis] = shape[axis]
      let current = result
      result = try context.tensor(data.dataType, .checked(dimensions)) {
        (output) throws(KernelError) in
        try Indexing.gather(current, axis: axis, indices, into: output)
      }
    }
    return result
  }

  private func source(of position: Int, in size: Int) -> Int {
    switch mode {
    case "edge": return max(0, min(size - 1, position))
    case "wrap": return ((position % size) + size) % size
    default:
      let period = max(1, 2 * (size - 1))
      let phase = ((position % period) + period) % period
      return min(phase, period - phase)
    }
  }

  /// How much each axis grows at either end.
  private func borders(
    _ widths: [Dimension], _ axes: [Int]?, rank: Int
  ) throws(OperatorError) -> (before: [Dimension], after: [Dimension]) {
    let axes = try Axes.normalize(axes ?? Array(0..<rank), rank: rank)
    guard widths.count == 2 * axes.count else {
      throw .badOperands("\(widths.count) widths are given for \(axes.count) axes")
    }
    var before = [Dimension](repeating: 0, count: rank)
    var after = before
    for (position, axis) in axes.enumerated() {
      before[axis] = widths[position]
      after[axis] = widths[axes.count + position]
    }
    return (before, after)
  }

  private func filling(
    _ inputs: [RuntimeValue?], _ dataType: DataType
  ) throws(OperatorError) -> Tensor {
    guard value == nil, let given = try inputs.optionalTensor(2) else {
      return try .scalar(value ?? 0, as: dataType)
    }
    guard given.dataType == dataType, given.elementCount == 1 else {
      throw .badOperands("\(given.dataType)\(given.shape) is not one \(dataType)")
    }
    return given.view(shape: .scalar, strides: [])
  }
}
