import GraphIR
import Kernels
import Tensors

extension Tensor {
  /// The elements in row-major order under another shape: a view where strides allow it, else a
  /// copy.
  func reshaped(
    to shape: Shape, _ context: any RunContext
  ) throws(OperatorError) -> Tensor {
    guard shape.elementCount == elementCount else {
      throw .badOperands("\(self.shape) cannot become \(shape): the element counts differ")
    }
    if let view = reshaped(to: shape) { return view }
    let copy = try context.makeTensor(dataType, self.shape)
    Copying.copy(self, into: copy)
    return copy.view(shape: shape, strides: shape.rowMajorStrides)
  }
}

extension [Dimension] {
  /// The dimensions of a shape.
  init(_ shape: Shape) {
    self = shape.dimensions.map { Dimension($0) }
  }

  /// The sizes when all are known.
  var integers: [Int]? {
    let values = compactMap(\.value)
    return values.count == count ? values : nil
  }

  /// The product; 1 for none.
  var product: Dimension { reduce(1, *) }
}

extension Shape {
  /// The shape that typing yields for operands whose dimensions are all numbers.
  static func concrete(_ dimensions: [Dimension]) throws(OperatorError) -> Shape {
    guard let sizes = dimensions.integers else {
      throw .overflow(ArithmeticOverflow("a size in \(dimensions) does not fit in 64 bits"))
    }
    return try checked(sizes)
  }
}
