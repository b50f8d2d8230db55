import CVectorKernels
import Tensors

extension DataType {
  /// The number by which C kernels know an element type they read and write; nil for others.
  var kernelCode: Int32? {
    switch self {
    case .float32: Int32(DITC_F32)
    case .float16: Int32(DITC_F16)
    case .bfloat16: Int32(DITC_BF16)
    default: nil
    }
  }
}

extension Tensor {
  /// The element type as C kernels know it.
  func kernelCode(for what: String) throws(KernelError) -> Int32 {
    guard let code = dataType.kernelCode else { throw .unsupported(what, dataType) }
    return code
  }
}

extension ditc_matrix {
  /// The last two axes of a tensor of rank 2 as the right-hand side of a product; nil when its
  /// elements lie in another way than row-major or transposed.
  init?(_ tensor: Tensor) {
    guard let code = tensor.dataType.kernelCode, tensor.rank == 2,
      let view = MatrixView(
        tensor.base.assumingMemoryBound(to: UInt8.self), rows: tensor.shape[0],
        columns: tensor.shape[1], rowStride: tensor.strides[0], columnStride: tensor.strides[1])
    else { return nil }
    self.init(
      base: UnsafeRawPointer(tensor.base), type: code, stride: view.leadingDimension,
      isTransposed: view.isTransposed ? 1 : 0)
  }
}
