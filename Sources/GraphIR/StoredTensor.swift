public import Tensors

/// Where the elements of a tensor come from when somebody asks.
public protocol TensorSource: Sendable {
  /// Reads the elements; called at most when they are needed, possibly more than once.
  func load() throws -> Tensor
}

/// A tensor whose type is known and whose elements are read only when asked for.
public struct StoredTensor: Sendable {
  /// The element type.
  public let dataType: DataType

  /// The dimensions.
  public let shape: Shape

  /// Where the elements are.
  public let source: any TensorSource

  /// A tensor that `source` delivers, of the given type.
  public init(dataType: DataType, shape: Shape, source: any TensorSource) {
    self.dataType = dataType
    self.shape = shape
    self.source = source
  }

  /// A tensor already in memory.
  public init(_ tensor: Tensor) {
    self.init(dataType: tensor.dataType, shape: tensor.shape, source: Resident(tensor: tensor))
  }

  /// The elements.
  public func load() throws -> Tensor { try source.load() }

  /// The type as a fact.
  public var type: TensorType { TensorType(dataType, shape) }

  private struct Resident: TensorSource {
    let tensor: Tensor
    func load() -> Tensor { tensor }
  }
}
