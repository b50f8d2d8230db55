package import Operators
package import Tensors

/// Runs single operators at compile time, each result in memory of its own.
package struct HeapRunContext: RunContext {
  /// A context.
  package init() {}

  /// Uninitialised memory for a result.
  package func makeTensor(
    _ dataType: DataType, _ shape: Shape
  ) throws(OperatorError) -> Tensor {
    do throws(ArithmeticOverflow) {
      return try Tensor(uninitialized: dataType, shape)
    } catch {
      throw .overflow(error)
    }
  }

  /// Refuses: graphs inside nodes are not run at compile time.
  package func run(
    subgraph attribute: String, arguments: [RuntimeValue]
  ) throws(OperatorError) -> [RuntimeValue] {
    throw OperatorError(
      "subgraph-at-compile-time", "the graph '\(attribute)' cannot run at compile time",
      category: .internalFault)
  }
}
