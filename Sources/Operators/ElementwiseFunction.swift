public import GraphIR
import Kernels
public import Tensors

/// What an operator does to every element by itself.
public enum ElementwiseFunction: Hashable, Sendable {
  /// A function of one operand, by its name.
  case unary(String)
  /// A function of two, by its name; more operands are combined from the left.
  case binary(String)
  /// A Cast.
  case conversion(DataType)
}

/// An operator that may compute a function of its operands' elements.
public protocol ElementwiseOperator: Operator {
  /// The function on operands of one floating-point type that is also the result's, conversions apart;
  /// nil for a node that computes none of this list.
  var elementwiseFunction: ElementwiseFunction? { get }
}

extension UnaryOperator {
  var elementwiseFunction: ElementwiseFunction? { .unary(operation.rawValue) }
}

extension BiasedOperator {
  var elementwiseFunction: ElementwiseFunction? { .unary(operation.rawValue) }
}

extension ArithmeticOperator {
  var elementwiseFunction: ElementwiseFunction? { .binary(operation.rawValue) }
}

extension Pow: ElementwiseOperator {
  var elementwiseFunction: ElementwiseFunction? { .binary(BinaryOperation.power.rawValue) }
}

extension SwishOperator {
  var elementwiseFunction: ElementwiseFunction? {
    alpha == 1 ? .unary(UnaryOperation.silu.rawValue) : nil
  }
}

extension Cast: ElementwiseOperator {
  var elementwiseFunction: ElementwiseFunction? { .conversion(target) }
}

extension OperatorTable {
  /// What a node does to every element by itself; nil when it does something else.
  public func elementwiseFunction(of node: Node, in graph: Graph) -> ElementwiseFunction? {
    guard type(of: node.op) is any ElementwiseOperator.Type,
      let made = try? make(node, in: graph) as? any ElementwiseOperator
    else { return nil }
    return made.elementwiseFunction
  }
}
