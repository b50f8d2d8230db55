import CVectorKernels
import Tensors

extension LinearProduct {
  /// What follows a product as kernels take it, with the memory it lies in.
  struct Epilogue {
    let steps: ditc_epilogue
    private let tensors: [Tensor]

    init(_ product: LinearProduct, _ shape: Shape) throws(KernelError) {
      var steps = ditc_epilogue()
      var tensors: [Tensor] = []
      let columns = shape[shape.rank - 1]
      steps.activation = product.activation.code
      steps.sumType = product.sumType.kernelCode ?? Int32(DITC_F32)
      steps.productType = product.productType.kernelCode ?? Int32(DITC_F32)
      steps.factorRows = 1
      steps.factorStride = columns
      steps.addendStride = columns
      if let bias = product.bias {
        let row = try Copying.contiguous(HalfPrecision.widened(bias))
        steps.bias = UnsafePointer(row.pointer(as: Float.self))
        tensors.append(row)
      }
      if let factor = product.factor {
        let rows = try RowFactor(factor, of: shape)
        steps.factor = UnsafePointer(rows.tensor.pointer(as: Float.self))
        steps.factorRows = rows.rowsOfOne
        tensors.append(rows.tensor)
      }
      if let addend = product.addend {
        let rows = try Copying.contiguous(addend)
        steps.addend = UnsafeRawPointer(rows.base)
        steps.addendType = try rows.kernelCode(for: "an addend")
        tensors.append(rows)
      }
      self.steps = steps
      self.tensors = tensors
    }
  }
}

extension LinearProduct.Activation {
  fileprivate var code: Int32 {
    switch self {
    case .none: Int32(DITC_LINEAR)
    case .gelu: Int32(DITC_GELU)
    case .geluTanh: Int32(DITC_GELU_TANH)
    case .silu: Int32(DITC_SILU)
    }
  }
}

/// Rows of factors that are each repeated over equally many rows of a result.
struct RowFactor {
  /// [repetitions, N], contiguous.
  let tensor: Tensor
  /// Rows of the result that one row is for.
  let rowsOfOne: Int

  /// The factor broadcast to the shape of a result, along trailing axes of 1 only where possible.
  ///
  /// Half types are widened.
  init(_ factor: Tensor, of shape: Shape) throws(KernelError) {
    let factor = try HalfPrecision.widened(factor)
    let missing = shape.rank - factor.rank
    let own = (0..<shape.rank).map { $0 < missing ? 1 : factor.shape[$0 - missing] }
    var repeated = 1
    var axis = shape.rank - 2
    while axis >= 0, own[axis] == 1 {
      repeated *= shape[axis]
      axis -= 1
    }
    let kept = axis < 0 ? [] : Array(shape.dimensions[...axis])
    let trailing = [shape[shape.rank - 1]]
    let ones = [Int](repeating: 1, count: shape.rank - 1 - kept.count)
    let target: Shape
    do { target = try Shape(kept + ones + trailing) } catch { throw .tooLarge(error) }
    if factor.shape.elementCount == target.elementCount {
      tensor = try Copying.contiguous(factor)
    } else {
      tensor = try Copying.makeTensor(.float32, target)
      Copying.copy(factor, into: tensor)
    }
    rowsOfOne = repeated
  }
}
