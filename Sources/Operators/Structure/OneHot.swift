import GraphIR
import Kernels
import Tensors

/// [OneHot](https://onnx.ai/onnx/operators/onnx__OneHot.html): vectors that hold one value at the
/// place an index names and another elsewhere; an index outside names no place.
struct OneHot: Operator {
  static let key: OpKey = "OneHot"
  static let versions = 9...24

  private let axis: Int

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(3...3)
    axis = try node.int("axis", default: -1)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let dataType = try inputs.tensorType(2).dataType
    guard var shape = try inputs.tensorType(0).shape else { return [ValueFact(dataType, nil)] }
    let depth = inputs.optional(1)?.elements?.first
    if let depth = depth?.value { try require(depth) }
    shape.insert(
      depth ?? context.makeSymbol(), at: try Axes.normalize(axis, rank: shape.count + 1))
    return [ValueFact(dataType, shape)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let values = try inputs.tensor(2).contiguous()
    let numbers = try inputs.tensor(0).cast(to: .int64, context)
    let depths = try inputs.tensor(1).cast(to: .int64, context).elements(as: Int64.self)
    guard values.shape.dimensions == [2], depths.count == 1 else {
      throw .badOperands("one depth and two values are expected")
    }
    let depth = Int(depths[0])
    try require(depth)
    let axis = try Axes.normalize(axis, rank: numbers.rank + 1)
    var dimensions = numbers.shape.dimensions
    dimensions.insert(depth, at: axis)
    let result = try context.makeTensor(values.dataType, .checked(dimensions))
    Copying.fill(result, with: values.sliced(axis: 0, first: 0, count: 1))
    let inner = numbers.shape.dimensions[axis...].reduce(1, *)
    let on = values.sliced(axis: 0, first: 1, count: 1)
    for (position, number) in numbers.elements(as: Int64.self).enumerated() {
      let index = number < 0 ? Int(number) &+ depth : Int(number)
      guard (0..<depth).contains(index) else { continue }
      let place = (position / inner * depth + index) * inner + position % inner
      (result.base + place * result.dataType.byteCount).copyMemory(
        from: on.base, byteCount: result.dataType.byteCount)
    }
    return [.tensor(result)]
  }

  private func require(_ depth: Int) throws(OperatorError) {
    guard depth > 0, depth <= Int(Int32.max) else {
      throw .badOperands("a depth of \(depth) has no places")
    }
  }
}
