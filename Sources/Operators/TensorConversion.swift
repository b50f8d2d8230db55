import Kernels
public import Tensors

extension Tensor {
  /// The elements as another type, by the rules of ONNX's `Cast`.
  public func converted(to type: DataType) throws(OperatorError) -> Tensor {
    if type == dataType { return self }
    do throws(KernelError) {
      return try Casting.cast(self, to: type)
    } catch {
      throw .badOperands("\(error)")
    }
  }
}
