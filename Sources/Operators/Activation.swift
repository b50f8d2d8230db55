import GraphIR
import Kernels
import Tensors

/// Functions that other operators apply to their results.
enum Activation {
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
