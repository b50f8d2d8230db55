import GraphIR
import Tensors

/// [SplitToSequence](https://onnx.ai/onnx/operators/onnx__SplitToSequence.html): consecutive parts
/// of one axis as a sequence of views.
struct SplitToSequence: Operator {
  static let key: OpKey = "SplitToSequence"
  static let versions = 11...24

  private let axis: Int
  private let keepsAxis: Bool
  private let hasSizes: Bool

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...2)
    axis = try node.int("axis", default: 0)
    hasSizes = node.hasInput(1)
    keepsAxis = try node.flag("keepdims", default: true) || hasSizes
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let data = try inputs.required(0)
    guard var shape = data.shape else {
      return [ValueFact(.sequence(.tensor(data.dataType, nil)))]
    }
    let axis = try Axes.normalize(axis, rank: shape.count)
    if keepsAxis {
      shape[axis] = partSize(inputs, of: shape[axis]) ?? context.makeSymbol()
    } else {
      shape.remove(at: axis)
    }
    return [ValueFact(.sequence(.tensor(data.dataType, shape)))]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let data = try inputs.tensor(0)
    let axis = try Axes.normalize(axis, rank: data.rank)
    var parts: [RuntimeValue] = []
    var first = 0
    for size in try sizes(inputs, of: data.shape[axis]) {
      let part = data.sliced(axis: axis, first: first, count: size)
      first += size
      guard !keepsAxis else {
        parts.append(.tensor(part))
        continue
      }
      parts.append(.tensor(try part.slice(axis: axis, at: 0)))
    }
    return [.sequence(parts)]
  }

  /// The size of every part, when all are alike.
  private func partSize(_ inputs: [ValueFact?], of size: Dimension) -> Dimension? {
    guard hasSizes else { return 1 }
    guard let fact = inputs.optional(1), let elements = fact.elements else { return nil }
    if fact.rank == 0, let part = elements.first {
      guard let rest = size.value, let number = part.value else { return part }
      return number > 0 && rest % number == 0 ? part : nil
    }
    return Set(elements).count == 1 ? elements.first : nil
  }

  private func sizes(
    _ inputs: [RuntimeValue?], of size: Int
  ) throws(OperatorError) -> [Int] {
    guard hasSizes else { return [Int](repeating: 1, count: size) }
    let tensor = try inputs.tensor(1)
    guard let given = tensor.integers(), given.allSatisfy({ $0 >= 0 }) else {
      throw .badOperands("the sizes of the parts must be integers that are not negative")
    }
    if tensor.rank > 0 {
      var rest = size
      for part in given {
        guard part <= rest else { throw .badOperands("the parts \(given) do not make \(size)") }
        rest -= part
      }
      guard rest == 0 else { throw .badOperands("the parts \(given) do not make \(size)") }
      return given
    }
    guard let part = given.first, part > 0 else {
      throw .badOperands("a part must have at least one element")
    }
    return stride(from: 0, to: size, by: part).map { min(part, size - $0) }
  }
}
