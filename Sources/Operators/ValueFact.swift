public import GraphIR
public import Tensors

/// What is known of a value while types are inferred: its type and, for small or constant
/// values, its contents.
public struct ValueFact: Sendable {
  /// The type.
  public var type: ValueType

  /// The contents, when they do not depend on the inputs of the graph.
  public var constant: Tensor?

  /// The contents of an integer tensor in row-major order, when each is a known expression.
  ///
  /// This is how shape arithmetic is followed: `Shape` yields the dimensions themselves.
  public var elements: [Dimension]?

  /// A fact about the type only.
  public init(_ type: ValueType) {
    self.type = type
  }

  /// A tensor of which any part may be unknown.
  public init(_ dataType: DataType?, _ shape: [Dimension]?, elements: [Dimension]? = nil) {
    type = .tensor(dataType, shape)
    self.elements = elements
  }

  /// A constant.
  ///
  /// Its integers are also its `elements` when they are few.
  public init(constant: Tensor) {
    type = .tensor(TensorType(constant.dataType, constant.shape))
    self.constant = constant
    if constant.elementCount <= Self.maximumElements, let integers = constant.integers() {
      elements = integers.map { Dimension($0) }
    }
  }

  /// How many elements of a value are followed symbolically.
  public static let maximumElements = 256

  /// The element type, when known.
  public var dataType: DataType? { type.tensor?.dataType }

  /// The dimensions, when the rank is known.
  public var shape: [Dimension]? { type.tensor?.shape }

  /// The rank, when known.
  public var rank: Int? { shape?.count }

  /// The elements as numbers, when all are known.
  public var integers: [Int]? {
    guard let elements else { return nil }
    let values = elements.compactMap(\.value)
    return values.count == elements.count ? values : nil
  }
}
