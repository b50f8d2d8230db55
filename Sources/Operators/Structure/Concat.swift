import GraphIR
import Kernels
import Tensors

/// [Concat](https://onnx.ai/onnx/operators/onnx__Concat.html): tensors one after another along an
/// axis.
struct Concat: PlacedOperator {
  static let key: OpKey = "Concat"
  static let versions = 4...24

  private let axis: Int

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...Int.max)
    guard let axis = try node.int("axis") else { throw .badOperands("'axis' is missing") }
    self.axis = axis
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    var parts: [ValueFact] = []
    for position in inputs.indices { parts.append(try inputs.required(position)) }
    let dataType = parts.compactMap(\.dataType).first
    let shapes = parts.compactMap(\.shape)
    guard let rank = shapes.first?.count else { return [ValueFact(dataType, nil)] }
    var shape = try joined(shapes, rank: rank)
    if shapes.count < parts.count {
      shape[try Axes.normalize(axis, rank: rank)] = context.makeSymbol()
    }
    let elements = try ElementMovement.follow(parts, to: shape) { tensors throws(OperatorError) in
      let result = Tensor(
        [Int64](repeating: 0, count: tensors.map(\.elementCount).reduce(0, +)),
        shape: try Shape.concrete(shape))
      try write(tensors, into: result)
      return result
    }
    return [ValueFact(dataType, shape, elements: elements)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    var parts: [Tensor] = []
    for position in inputs.indices { parts.append(try inputs.tensor(position)) }
    if parts.count == 1 { return [.tensor(parts[0])] }
    let shape = try joined(parts.map { [Dimension]($0.shape) }, rank: parts[0].rank)
    let result = try context.makeResult(parts[0].dataType, Shape.concrete(shape))
    try write(parts, into: result)
    return [.tensor(result)]
  }

  func canWrite(into layout: Tensor) -> Bool { true }

  private func joined(_ shapes: [[Dimension]], rank: Int) throws(OperatorError) -> [Dimension] {
    let axis = try Axes.normalize(axis, rank: rank)
    var result = shapes[0]
    for shape in shapes.dropFirst() {
      guard shape.count == rank else {
        throw .badOperands("\(shapes[0]) and \(shape) differ in rank")
      }
      for other in 0..<rank {
        if other == axis {
          result[axis] = result[axis] + shape[axis]
        } else if result[other].value == nil {
          if shape[other].value != nil { result[other] = shape[other] }
        } else if let size = shape[other].value, size != result[other].value {
          throw .badOperands("\(shapes[0]) and \(shape) differ at axis \(other)")
        }
      }
    }
    return result
  }

  private func write(_ parts: [Tensor], into result: Tensor) throws(OperatorError) {
    let axis = try Axes.normalize(axis, rank: result.rank)
    var first = 0
    for part in parts {
      guard part.dataType == result.dataType else {
        throw .badOperands("\(part.dataType) does not join \(result.dataType)")
      }
      let count = part.shape[axis]
      let place = result.sliced(axis: axis, first: first, count: count)
      first += count
      if !place.isSameView(as: part) { Copying.copy(part, into: place) }
    }
  }
}

extension Tensor {
  /// True when the elements lie in the same memory in the same order.
  fileprivate func isSameView(as other: Tensor) -> Bool {
    storage === other.storage && offset == other.offset
      && shape.dimensions.indices.allSatisfy { shape[$0] == 1 || strides[$0] == other.strides[$0] }
  }
}
