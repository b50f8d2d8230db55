import GraphIR
import Kernels
import Tensors

/// [Tile](https://onnx.ai/onnx/operators/onnx__Tile.html): the whole operand repeated along each
/// axis.
struct Tile: Operator {
  static let key: OpKey = "Tile"
  static let versions = 6...24

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...2)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let data = try inputs.required(0)
    let repeats = try inputs.required(1)
    guard let shape = data.shape else { return [ValueFact(data.dataType, nil)] }
    guard let counts = repeats.elements else {
      return [ValueFact(data.dataType, shape.map { _ in context.makeSymbol() })]
    }
    try check(counts.map(\.value), rank: shape.count)
    let result = zip(shape, counts).map { $0 * $1 }
    let elements = try ElementMovement.follow([data], to: result) {
      tensors throws(OperatorError) in
      let tiled = Tensor(
        [Int64](repeating: 0, count: result.product.value ?? 0), shape: try .concrete(result))
      try tile(tensors[0], counts.integers ?? [], into: tiled)
      return tiled
    }
    return [ValueFact(data.dataType, result, elements: elements)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let data = try inputs.tensor(0)
    guard let counts = try inputs.integers(1) else { throw .badOperands("operand 1 is missing") }
    try check(counts, rank: data.rank)
    if counts.allSatisfy({ $0 == 1 }) { return [.tensor(data)] }
    let shape = zip(data.shape.dimensions, counts).map { Dimension($0) * Dimension($1) }
    let result = try context.makeTensor(data.dataType, .concrete(shape))
    try tile(data, counts, into: result)
    return [.tensor(result)]
  }

  private func check(_ repeats: [Int?], rank: Int) throws(OperatorError) {
    guard repeats.count == rank else {
      throw .badOperands("\(repeats.count) repeats are given for \(rank) axes")
    }
    if let negative = repeats.compactMap({ $0 }).first(where: { $0 < 0 }) {
      throw .badOperands("an axis is repeated \(negative) times")
    }
  }

  /// Every axis of the result is two: which repetition, then which index.
  private func tile(
    _ data: Tensor, _ repeats: [Int], into result: Tensor
  ) throws(OperatorError) {
    var (single, doubled): ([Int], [Int]) = ([], [])
    for (size, count) in zip(data.shape.dimensions, repeats) {
      single += [1, size]
      doubled += [count, size]
    }
    let target = try Shape.checked(doubled)
    guard let source = data.reshaped(to: try .checked(single)) else { return }
    Copying.copy(source, into: result.view(shape: target, strides: target.rowMajorStrides))
  }
}
