public import GraphIR
public import Interpreter
public import Tensors

/// Whatever can run a model: the interpreter, or another runtime behind the same names.
public protocol DenoisingEngine {
  /// The model's inputs with their declared types.
  var inputs: [Port] { get }
  /// The model's outputs with their declared types.
  var outputs: [Port] { get }
  /// Converts feeds to the declared element types.
  func converted(_ feeds: [Name: Tensor]) throws -> [Name: Tensor]
  /// One forward pass.
  func run(_ feeds: consuming [Name: Tensor]) throws -> [Name: Tensor]
}

extension Engine: DenoisingEngine {
  /// One forward pass, not traced.
  public func run(_ feeds: consuming [Name: Tensor]) throws -> [Name: Tensor] {
    try run(feeds, trace: nil)
  }
}
