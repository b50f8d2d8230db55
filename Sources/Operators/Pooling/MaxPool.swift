import GraphIR
import Kernels
import Tensors

/// [MaxPool](https://onnx.ai/onnx/operators/onnx__MaxPool.html): the largest element of each window
/// and, on request, where it is.
struct MaxPool: PoolingOperator {
  static let key: OpKey = "MaxPool"
  static let versions = 1...24
  static let elementTypes = ElementTypes.numbers

  let window: Window?
  private let yieldsPlaces: Bool
  private let isColumnMajor: Bool

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
    window = try Window(&node)
    yieldsPlaces = node.hasOutput(1)
    isColumnMajor = node.opset >= 8 ? try node.flag("storage_order", default: false) : false
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let type = try inputs.tensorType(0)
    try Self.elementTypes.require(type.dataType, operand: 0)
    let shape = try type.shape.map(pooledShape)
    return [ValueFact(type.dataType, shape)] + (yieldsPlaces ? [ValueFact(.int64, shape)] : [])
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let x = try inputs.tensor(0)
    let (result, views) = try run(x, context)
    guard yieldsPlaces else { return [.tensor(result)] }
    let wide = try x.cast(to: x.dataType == .float64 ? .float64 : .float32, context).contiguous()
    let found = try slide(
      .maximum, wide, views, places: Array(0..<max(1, x.elementCount)), context
    ).places
    let places = found.map { Int64(isColumnMajor ? columnMajor($0, in: x.shape) : $0) }
    return [.tensor(result), .tensor(Tensor(places, shape: result.shape))]
  }

  func pool(
    _ x: Tensor, _ views: [[(elements: [Int], padded: Int)]], _ shape: Shape,
    _ context: any RunContext
  ) throws(OperatorError) -> Tensor {
    guard views.allSatisfy({ $0.allSatisfy { !$0.elements.isEmpty } }) else {
      throw .badOperands("a window sees nothing but pads")
    }
    return try slide(.maximum, x, views, context).values
  }

  /// The number of a place when the spatial axes are counted first to last.
  private func columnMajor(_ place: Int, in shape: Shape) -> Int {
    let spatial = Array(shape.dimensions[2...])
    let count = spatial.reduce(1, *)
    var rest = place % count
    var index = [Int](repeating: 0, count: spatial.count)
    for axis in spatial.indices.reversed() {
      (rest, index[axis]) = rest.quotientAndRemainder(dividingBy: spatial[axis])
    }
    var result = 0
    for axis in spatial.indices.reversed() { result = result * spatial[axis] + index[axis] }
    return place / count * count + result
  }
}
