import GraphIR
import Kernels
import Tensors

/// [TopK](https://onnx.ai/onnx/operators/onnx__TopK.html): the largest or smallest elements along an
/// axis, and where they are.
///
/// They are always sorted; equal elements keep their order, NaN counts as the largest number.
struct TopK: Operator {
  static let key: OpKey = "TopK"
  static let versions = 10...24

  private let axis: Int
  private let takesLargest: Bool

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...2)
    axis = try node.int("axis", default: -1)
    takesLargest = node.opset >= 11 ? try node.flag("largest", default: true) : true
    if node.opset >= 11 { node.skip("sorted") }
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let type = try inputs.tensorType(0)
    try ElementTypes.numbers.require(type.dataType, operand: 0)
    guard var shape = type.shape else {
      return [ValueFact(type.dataType, nil), ValueFact(.int64, nil)]
    }
    let axis = try Axes.normalize(axis, rank: shape.count)
    let count = inputs.optional(1)?.elements?.first
    if let number = count?.value { try check(number, of: shape[axis].value ?? number) }
    shape[axis] = count ?? context.makeSymbol()
    return [ValueFact(type.dataType, shape), ValueFact(.int64, shape)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let x = try inputs.tensor(0)
    let axis = try Axes.normalize(axis, rank: x.rank)
    guard let count = try inputs.integers(1)?.first else { throw .badOperands("'K' is missing") }
    try check(count, of: x.shape[axis])
    var order = Array(0..<x.rank)
    order.append(order.remove(at: axis))
    let rows = x.transposed(order)
    let found = try OperatorError.translating { () throws(KernelError) in
      try Sorting.order(rows, count: count, isDescending: takesLargest)
    }
    var dimensions = rows.shape.dimensions
    dimensions[x.rank - 1] = count
    let shape = try Shape.checked(dimensions)
    let values = try context.makeTensor(x.dataType, shape)
    Indexing.gatherElements(rows, axis: x.rank - 1, found, into: values)
    let positions = Tensor(found.map { Int64($0) }, shape: shape)
    var back = Array(0..<x.rank - 1)
    back.insert(x.rank - 1, at: axis)
    return [
      .tensor(values.transposed(back).contiguous()),
      .tensor(positions.transposed(back).contiguous()),
    ]
  }

  private func check(_ count: Int, of size: Int) throws(OperatorError) {
    guard (0...size).contains(count) else {
      throw .badOperands("\(count) of \(size) elements are asked for")
    }
  }
}
