import GraphIR
import Kernels
import Tensors

extension Conv {
  /// The convolution of integers less their zero points, exact, in float64.
  ///
  /// The zero point of the filters is one number, or one for each filter.
  func integerSums(
    _ x: Tensor, zero: Tensor?, _ weight: Tensor, zero weightZero: Tensor?, bias: Tensor?,
    _ context: any RunContext
  ) throws(OperatorError) -> Tensor {
    let input = try Quantizing.centered(x, zero: zero, as: .float64, context)
    var offset = weightZero
    if let vector = weightZero, vector.elementCount > 1 {
      guard vector.rank == 1, vector.shape[0] == weight.shape[0] else {
        throw .badOperands("zero points of shape \(vector.shape) do not fit \(weight.shape)")
      }
      var sizes = [Int](repeating: 1, count: weight.rank)
      sizes[0] = vector.shape[0]
      var strides = [Int](repeating: 0, count: weight.rank)
      strides[0] = vector.strides[0]
      offset = vector.view(shape: try .checked(sizes), strides: strides)
    }
    let filters = try Quantizing.centered(weight, zero: offset, as: .float64, context)
    return try convolve(input, filters, bias: bias?.cast(to: .float64, context), context)
  }
}

extension Tensor {
  /// A vector along axis 1 of a rank; one number as it is.
  func alongAxis1(ofRank rank: Int) throws(OperatorError) -> Tensor {
    guard elementCount > 1 else { return view(shape: .scalar, strides: []) }
    guard self.rank == 1, rank > 1 else {
      throw .badOperands("a parameter of shape \(shape) is no vector")
    }
    var sizes = [Int](repeating: 1, count: rank - 1)
    sizes[0] = shape[0]
    var own = [Int](repeating: 0, count: rank - 1)
    own[0] = strides[0]
    return view(shape: try .checked(sizes), strides: own)
  }
}
