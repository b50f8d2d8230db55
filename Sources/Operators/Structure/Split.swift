import GraphIR
import Tensors

/// [Split](https://onnx.ai/onnx/operators/onnx__Split.html): consecutive parts of one axis, of given
/// or of equal sizes; views.
struct Split: Operator {
  static let key: OpKey = "Split"
  static let versions = 2...24

  private let axis: Int
  private let sizes: OperandOrAttribute
  private let partCount: Int
  private let lastMayBeSmaller: Bool

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...2)
    axis = try node.int("axis", default: 0)
    sizes = try OperandOrAttribute("split", at: 1, operandSince: 13, &node)
    partCount = node.outputCount
    lastMayBeSmaller = node.opset >= 18
    guard lastMayBeSmaller, let wanted = try node.int("num_outputs") else { return }
    guard wanted == partCount else {
      throw .badOperands("'num_outputs' is \(wanted), but the node has \(partCount) results")
    }
    guard !sizes.isPresent else {
      throw .badOperands("'num_outputs' and the sizes of the parts are both given")
    }
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let data = try inputs.required(0)
    guard let shape = data.shape else {
      return (0..<partCount).map { _ in ValueFact(data.dataType, nil) }
    }
    let axis = try Axes.normalize(axis, rank: shape.count)
    let parts: [Dimension]
    if sizes.isPresent {
      parts = sizes.dimensions(inputs) ?? (0..<partCount).map { _ in context.makeSymbol() }
    } else {
      parts = try equalParts(of: shape[axis])
    }
    try check(parts, size: shape[axis])
    var results: [ValueFact] = []
    var first = 0
    for part in parts {
      var result = shape
      result[axis] = part
      let elements = try ElementMovement.follow([data], to: result) {
        $0[0].sliced(axis: axis, first: first, count: part.value ?? 0)
      }
      results.append(ValueFact(data.dataType, result, elements: elements))
      first += part.value ?? 0
    }
    return results
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let data = try inputs.tensor(0)
    let axis = try Axes.normalize(axis, rank: data.rank)
    let size = Dimension(data.shape[axis])
    let parts: [Dimension]
    if let sizes = try sizes.value(inputs) {
      parts = sizes.map { Dimension($0) }
    } else {
      parts = try equalParts(of: size)
    }
    try check(parts, size: size)
    var results: [RuntimeValue] = []
    var first = 0
    for part in try Shape.concrete(parts).dimensions {
      results.append(.tensor(data.sliced(axis: axis, first: first, count: part)))
      first += part
    }
    return results
  }

  private func equalParts(of size: Dimension) throws(OperatorError) -> [Dimension] {
    let count = Dimension(partCount)
    guard let exact = size.floorDivided(by: count) else {
      throw .badOperands("a split has no results")
    }
    let rounded = (size + count - 1).floorDivided(by: count) ?? exact
    if exact * count == size || !lastMayBeSmaller && size.value == nil {
      return (0..<partCount).map { _ in exact }
    }
    guard lastMayBeSmaller else {
      throw .badOperands("an axis of size \(size) has no \(partCount) equal parts")
    }
    return (1..<partCount).map { _ in rounded } + [size - rounded * (count - 1)]
  }

  private func check(_ parts: [Dimension], size: Dimension) throws(OperatorError) {
    guard parts.count == partCount else {
      throw .badOperands("\(parts.count) sizes are given for \(partCount) results")
    }
    if let negative = parts.compactMap(\.value).first(where: { $0 < 0 }) {
      throw .badOperands("a part has the size \(negative)")
    }
    let total = parts.reduce(0, +)
    if let total = total.value, let size = size.value, total != size {
      throw .badOperands("the parts \(parts) make \(total), the axis has size \(size)")
    }
    if let size = size.value, total.value == nil, parts.allSatisfy({ $0.value != nil }) {
      throw .badOperands("the parts \(parts) do not make \(size)")
    }
  }
}
