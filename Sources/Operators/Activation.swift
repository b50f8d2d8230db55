import GraphIR
import Kernels
import Tensors

/// Functions that other operators apply to their results.
enum Activation {
  /// x · sigmoid(alpha x).
  static func swish(
    _ x: Tensor, alpha: Float, _ context: any RunContext
  ) throws(OperatorError) -> Tensor {
    let factor = try Tensor.scalar(alpha, as: x.dataType)
    return try context.tensor(x.dataType, x.shape) { (output) throws(KernelError) in
      guard alpha != 1 else { return try Elementwise.unary(.silu, x, into: output) }
      try Elementwise.binary(.multiply, x, factor, into: output)
      try Elementwise.unary(.sigmoid, output, into: output)
      try Elementwise.binary(.multiply, x, output, into: output)
    }
  }

  /// x + bias, then a function of it; the bias broadcasts to x.
  static func biased(
    _ x: Tensor, _ bias: Tensor?, _ operation: UnaryOperation, _ context: any RunContext
  ) throws(OperatorError) -> Tensor {
    try context.tensor(x.dataType, x.shape) { (output) throws(KernelError) in
      guard let bias else { return try Elementwise.unary(operation, x, into: output) }
      try Elementwise.binary(.add, x, bias, into: output)
      try Elementwise.unary(operation, output, into: output)
    }
  }

  /// The function that ONNX Runtime fuses behind another operator (`activation`); nil for none.
  static func fused(_ node: inout NodeReader) throws(OperatorError) -> Fused? {
    let words = ["", "Relu", "Sigmoid", "Tanh", "LeakyRelu", "HardSigmoid"]
    let word = try node.word("activation", in: words, default: "")
    let parameters = try node.floats("activation_params") ?? []
    for name in ["activation_alpha", "activation_beta", "activation_gamma"] {
      guard try node.float(name, default: 0) == 0 else {
        throw .unsupported("attribute '\(name)' is not implemented")
      }
    }
    switch word {
    case "": return nil
    case "Relu": return .unary(.relu)
    case "Sigmoid": return .unary(.sigmoid)
    case "Tanh": return .unary(.hyperbolicTangent)
    case "HardSigmoid" where parameters.count == 2:
      return .parametric(.hardSigmoid(alpha: parameters[0], beta: parameters[1]))
    default: throw .unsupported("activation '\(word)' with \(parameters) is not implemented")
    }
  }

  /// A function of single elements.
  enum Fused {
    case unary(UnaryOperation)
    case parametric(ParametricFunction)

    /// Replaces the elements of a dense tensor.
    func apply(to tensor: Tensor) throws(OperatorError) {
      try OperatorError.translating { () throws(KernelError) in
        switch self {
        case .unary(let operation): try Elementwise.unary(operation, tensor, into: tensor)
        case .parametric(let function): try Elementwise.unary(function, tensor, into: tensor)
        }
      }
    }
  }
}
