import Interpreter
import Operators

/// How a model is computed, as a command line asks for it.
public struct ComputeStyle: Hashable, Sendable {
  /// Whether operators are fused.
  public var fuses: Bool
  /// Whether products with weights round their factors to bfloat16.
  public var isBFloat16: Bool
  /// Whose kernels multiply `float32` matrices.
  private var products = ProductKernels.measured

  /// Fused and in `float32` unless said otherwise, on the faster kernels.
  public init(fuses: Bool = true, isBFloat16: Bool = false) {
    self.fuses = fuses
    self.isBFloat16 = isBFloat16
  }

  /// On the kernels that a word names: `measured`, `own` or `openblas`.
  public init(fuses: Bool, isBFloat16: Bool, products: String) throws {
    self.init(fuses: fuses, isBFloat16: isBFloat16)
    self.products = try OptionWord.parse(products, option: "--products")
  }

  /// Options of an engine that computes so.
  func options(threads: Int, memory: Int?) -> EngineOptions {
    EngineOptions(
      threads: threads, memoryByteCount: memory ?? EngineOptions.availableMemory,
      fusesOperators: fuses, matrixPrecision: isBFloat16 ? .bfloat16 : .float32,
      productKernels: products)
  }
}
