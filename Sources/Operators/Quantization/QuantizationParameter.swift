import GraphIR
import Kernels
import Tensors

/// How scales and zero points stand beside the tensors they belong to.
///
/// One number is for the whole tensor; a vector has one for each index of an axis; a tensor of the
/// same rank has one for each block along that axis.
struct QuantizationParameter {
  private let axis: Int
  private let blockSize: Int

  /// Reads `axis` and `block_size`.
  init(_ node: inout NodeReader) throws(OperatorError) {
    axis = node.opset >= 13 ? try node.int("axis", default: 1) : 1
    blockSize = node.opset >= 21 ? try node.int("block_size", default: 0) : 0
    guard blockSize >= 0 else { throw .badOperands("attribute 'block_size' is \(blockSize)") }
  }

  /// Refuses a parameter that does not fit.
  func require(_ parameter: [Dimension]?, fits shape: [Dimension]?) throws(OperatorError) {
    guard let parameter, let shape else { return }
    if parameter.isEmpty || parameter == [1] && blockSize == 0 { return }
    let axis = try Axes.normalize(axis, rank: shape.count)
    if blockSize == 0 {
      let fits =
        parameter.count == 1
        && (parameter[0] == shape[axis] || parameter[0].value == nil || shape[axis].value == nil)
      guard fits else {
        throw .badOperands(
          "a parameter of shape \(parameter) does not fit axis \(axis) of \(shape)")
      }
      return
    }
    guard parameter.count == shape.count else {
      throw .badOperands("blocks of shape \(parameter) do not fit \(shape)")
    }
    for position in shape.indices {
      guard let own = parameter[position].value, let size = shape[position].value else { continue }
      let expected = position == axis ? (size + blockSize - 1) / blockSize : size
      guard own == expected else {
        throw .badOperands("blocks of shape \(parameter) do not fit \(shape)")
      }
    }
  }

  /// The parameter as a tensor that broadcasts to a shape.
  func spread(
    _ parameter: Tensor, over shape: Shape, _ context: any RunContext
  ) throws(OperatorError) -> Tensor {
    try require([Dimension](parameter.shape), fits: [Dimension](shape))
    if parameter.rank == 0 || parameter.elementCount == 1 {
      return parameter.view(shape: .scalar, strides: [])
    }
    let axis = try Axes.normalize(axis, rank: shape.rank)
    guard blockSize > 0 else {
      var sizes = [Int](repeating: 1, count: shape.rank - axis)
      sizes[0] = parameter.shape[0]
      var strides = [Int](repeating: 0, count: shape.rank - axis)
      strides[0] = parameter.strides[0]
      return parameter.view(shape: try .checked(sizes), strides: strides)
    }
    let indices = (0..<shape[axis]).map { $0 / blockSize }
    return try context.tensor(parameter.dataType, shape) { (output) throws(KernelError) in
      try Indexing.gather(parameter, axis: axis, indices, into: output)
    }
  }
}

/// Arithmetic on quantised numbers.
enum Quantizing {
  /// round(x / scale) + zero, saturated to a type; the quotient is rounded to nearest even.
  static func quantize(
    _ x: Tensor, scale: Tensor, zero: Tensor?, to type: DataType, _ context: any RunContext
  ) throws(OperatorError) -> Tensor {
    let isDouble = x.dataType == .float64
    let factor = try scale.cast(to: isDouble ? .float64 : .float32, context)
    let quotient = try x.cast(to: factor.dataType, context)
    let rounded = try context.tensor(factor.dataType, x.shape) { (output) throws(KernelError) in
      try Elementwise.binary(.divide, quotient, factor, into: output)
      try Elementwise.unary(.round, output, into: output)
    }
    return try saturate(rounded, zero: zero, to: type, context)
  }

  /// x + zero, saturated to a type.
  static func saturate(
    _ x: Tensor, zero: Tensor?, to type: DataType, _ context: any RunContext
  ) throws(OperatorError) -> Tensor {
    guard let zero else { return try x.cast(to: type, context) }
    let (wide, offset) = (try x.cast(to: .float64, context), try zero.cast(to: .float64, context))
    let sum = try context.tensor(.float64, x.shape) { (output) throws(KernelError) in
      try Elementwise.binary(.add, wide, offset, into: output)
    }
    return try sum.cast(to: type, context)
  }

  /// x − zero in a wider type.
  static func centered(
    _ x: Tensor, zero: Tensor?, as type: DataType, _ context: any RunContext
  ) throws(OperatorError) -> Tensor {
    let wide = try x.cast(to: type, context)
    guard let zero else { return wide }
    let offset = try zero.cast(to: type, context)
    return try context.tensor(type, x.shape) { (output) throws(KernelError) in
      try Elementwise.binary(.subtract, wide, offset, into: output)
    }
  }

  /// Refuses operands that are not quantised numbers.
  static func require8Bits(_ inputs: [ValueFact?], _ positions: [Int]) throws(OperatorError) {
    for position in positions {
      guard let type = try inputs.optionalTensorType(position)?.dataType else { continue }
      guard type == .int8 || type == .uint8 else {
        throw .badOperands("operand \(position) is \(type), int8 or uint8 is expected")
      }
    }
  }
}
