import GraphIR
import Kernels
import Tensors

/// [ScatterElements](https://onnx.ai/onnx/operators/onnx__ScatterElements.html): a copy of the data
/// with single elements replaced, or combined with updates, along one axis.
struct ScatterElements: Operator {
  static let key: OpKey = "ScatterElements"
  static let versions = 11...24

  private let axis: Int
  private let reduction: ScatterReduction

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(3...3)
    axis = try node.int("axis", default: 0)
    reduction = try ScatterReduction(&node)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let data = try inputs.required(0)
    if let shape = data.shape, let indices = try inputs.required(1).shape,
      let updates = try inputs.required(2).shape
    {
      try check(shape, indices, updates)
    }
    return [ValueFact(.tensor(data.dataType, data.shape))]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let data = try inputs.tensor(0)
    let indices = try inputs.tensor(1)
    let updates = try inputs.tensor(2)
    let axis = try check(
      [Dimension](data.shape), [Dimension](indices.shape), [Dimension](updates.shape))
    guard updates.dataType == data.dataType else {
      throw .badOperands("updates are \(updates.dataType), the data are \(data.dataType)")
    }
    let positions = try Indices.read(indices, size: data.shape[axis])
    return [
      .tensor(
        try context.tensor(data.dataType, data.shape) { result throws(KernelError) in
          Copying.copy(data, into: result)
          try Indexing.scatterElements(
            updates, axis: axis, positions, reduction, into: result)
        })
    ]
  }

  @discardableResult
  private func check(
    _ data: [Dimension], _ indices: [Dimension], _ updates: [Dimension]
  ) throws(OperatorError) -> Int {
    let agree =
      indices.count == updates.count
      && zip(indices, updates).allSatisfy { $0.value == nil || $1.value == nil || $0 == $1 }
    guard agree else { throw .badOperands("indices \(indices) and updates \(updates) differ") }
    return try Indices.requireLines(of: data, indices, axis: axis)
  }
}

extension ScatterReduction {
  /// Reads the attribute `reduction`, which operator sets before 16 lack.
  init(_ node: inout NodeReader) throws(OperatorError) {
    guard node.opset >= 16 else {
      self = .none
      return
    }
    let words = ["none", "add", "mul", "max", "min"]
    let word = try node.word("reduction", in: words, default: "none")
    self = ScatterReduction(rawValue: word) ?? .none
  }
}
