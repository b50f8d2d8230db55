import Interpreter

/// How a model is computed, as a command line asks for it.
public struct ComputeStyle: Hashable, Sendable {
  /// Whether operators are fused.
  public var fuses: Bool
  /// Whether products with weights round their factors to bfloat16.
  public var isBFloat16: Bool

  /// Fused and in `float32` unless said otherwise.
  public init(fuses: Bool = true, isBFloat16: Bool = false) {
    self.fuses = fuses
    self.isBFloat16 = isBFloat16
  }

  /// Options of an engine that computes so.
  func options(threads: Int, memory: Int?) -> EngineOptions {
    EngineOptions(
      threads: threads, memoryByteCount: memory ?? EngineOptions.availableMemory,
      fusesOperators: fuses, matrixPrecision: isBFloat16 ? .bfloat16 : .float32)
  }
}
