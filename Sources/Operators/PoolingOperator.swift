import GraphIR
import Kernels
import Tensors

/// An operator that combines the elements of windows, [batch, channels, spatial…].
protocol PoolingOperator: Operator {
  /// The windows; nil for one that covers everything.
  var window: Window? { get }

  /// The element types that ONNX allows.
  static var elementTypes: ElementTypes { get }

  /// Combines; `x` is dense float32 or float64, and so is the result.
  func pool(
    _ x: Tensor, _ views: [[(elements: [Int], padded: Int)]], _ shape: Shape,
    _ context: any RunContext
  ) throws(OperatorError) -> Tensor
}

extension PoolingOperator {
  static var elementTypes: ElementTypes { .floatingPoint }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let type = try inputs.tensorType(0)
    try Self.elementTypes.require(type.dataType, operand: 0)
    return [ValueFact(type.dataType, try type.shape.map(pooledShape))]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let x = try inputs.tensor(0)
    let (result, _) = try run(x, context)
    return [.tensor(result)]
  }

  /// The pooled shape of [batch, channels, spatial…].
  func pooledShape(_ shape: [Dimension]) throws(OperatorError) -> [Dimension] {
    guard shape.count > 2 else {
      throw .badOperands("an operand of shape \(shape) has no spatial axes")
    }
    let spatial = Array(shape[2...])
    return shape[..<2] + (try window?.sizes(spatial) ?? spatial.map { _ in 1 })
  }

  /// The result, and the views of windows along each spatial axis.
  func run(
    _ x: Tensor, _ context: any RunContext
  ) throws(OperatorError) -> (Tensor, [[(elements: [Int], padded: Int)]]) {
    let shape = try Shape.concrete(pooledShape([Dimension](x.shape)))
    var views: [[(elements: [Int], padded: Int)]] = []
    for axis in 0..<x.rank - 2 {
      let length = x.shape[axis + 2]
      views.append(
        try window?.views(of: length, axis: axis) ?? [(Array(0..<length), length)])
    }
    let isWide = x.dataType == .float64 || x.dataType == .float32
    let wide = try x.cast(to: isWide ? x.dataType : .float32, context).contiguous()
    let result = try pool(wide, views, shape, context)
    return (try result.cast(to: x.dataType, context), views)
  }

  /// One pass of windows for each spatial axis, last one first.
  func slide(
    _ operation: PoolingOperation, _ x: Tensor, _ views: [[(elements: [Int], padded: Int)]],
    places: [Int] = [], _ context: any RunContext
  ) throws(OperatorError) -> (values: Tensor, places: [Int]) {
    var (values, sources) = (x, places)
    for axis in views.indices.reversed() {
      var dimensions = values.shape.dimensions
      dimensions[axis + 2] = views[axis].count
      var moved: [Int] = []
      let source = values
      values = try context.tensor(x.dataType, try .checked(dimensions)) {
        (output) throws(KernelError) in
        try Pooling.pool(
          operation, source, axis: axis + 2, windows: views[axis].map(\.elements),
          places: sources, into: output, outputPlaces: &moved)
      }
      sources = moved
    }
    return (values, sources)
  }

  /// How many elements each window sees, as a tensor that broadcasts to a result.
  func counts(
    _ views: [[(elements: [Int], padded: Int)]], includesPads: Bool, _ dataType: DataType
  ) throws(OperatorError) -> Tensor {
    var counts: [Float] = [1]
    for axis in views {
      let own = axis.map { Float(includesPads ? $0.padded : $0.elements.count) }
      counts = counts.flatMap { count in own.map { count * $0 } }
    }
    let tensor = Tensor(counts, shape: try .checked(views.map(\.count)))
    return try OperatorError.translating { () throws(KernelError) in
      try Casting.cast(tensor, to: dataType)
    }
  }
}
