import Tensors
import Testing

/// A repeatable source of numbers (xorshift64*, https://doi.org/10.1145/2845077).
struct Numbers {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

  mutating func bits() -> UInt64 {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return state &* 0x2545_F491_4F6C_DD1D
  }

  /// A number in -2 ..< 2.
  mutating func float() -> Float { Float(bits() >> 40) / Float(1 << 22) - 2 }

  mutating func tensor(_ dimensions: [Int]) throws -> Tensor {
    let shape = try Shape(dimensions)
    return Tensor((0..<shape.elementCount).map { _ in float() }, shape: shape)
  }
}

/// The ways in which a tensor of some shape can lie in memory.
enum Layout: String, CaseIterable {
  case contiguous, transposed, sliced, reversed, repeated

  /// A view of that shape with random elements.
  func tensor(_ dimensions: [Int], _ numbers: inout Numbers) throws -> Tensor {
    let shape = try Shape(dimensions)
    switch self {
    case .contiguous: return try numbers.tensor(dimensions)
    case .transposed:
      let dense = try numbers.tensor(dimensions.reversed())
      return dense.view(shape: shape, strides: dense.strides.reversed())
    case .sliced:
      let dense = try numbers.tensor(dimensions.map { 2 * $0 + 1 })
      return dense.view(
        shape: shape, strides: dense.strides.enumerated().map { $0 == 0 ? $1 : 2 * $1 },
        offset: dense.strides.reduce(0, +))
    case .reversed:
      let dense = try numbers.tensor(dimensions)
      let last = zip(dense.strides, dimensions).map { $0 * Swift.max(0, $1 - 1) }.reduce(0, +)
      return dense.view(shape: shape, strides: dense.strides.map { -$0 }, offset: last)
    case .repeated:
      let dense = try numbers.tensor([1] + dimensions.dropFirst())
      return dense.view(shape: shape, strides: [0] + dense.strides.dropFirst())
    }
  }
}

extension Shape {
  /// All indices in row-major order.
  var indices: [[Int]] {
    (0..<elementCount).map { number in
      var rest = number
      return dimensions.reversed().map { dimension in
        defer { rest /= dimension }
        return rest % dimension
      }.reversed()
    }
  }
}

extension Tensor {
  /// One element, the index broadcasting as ONNX's rule says.
  func element<Element: TensorElement>(_ index: [Int], as type: Element.Type) -> Element {
    var place = 0
    for axis in 0..<rank {
      let own = index[index.count - rank + axis]
      place += strides[axis] * (shape[axis] == 1 ? 0 : own)
    }
    return pointer(as: type)[place]
  }

  func float(_ index: [Int]) -> Double { Double(element(index, as: Float.self)) }

  static func output(_ type: DataType, _ dimensions: [Int]) throws -> Tensor {
    let tensor = try Tensor(uninitialized: type, Shape(dimensions))
    tensor.base.initializeMemory(as: UInt8.self, repeating: 0xAA, count: tensor.byteCount)
    return tensor
  }
}

/// Expects every element to be near what a formula of its index gives.
func expect(
  _ tensor: Tensor, near tolerance: Double, _ comment: Comment? = nil,
  sourceLocation: SourceLocation = #_sourceLocation, _ formula: ([Int]) -> Double
) {
  var worst = 0.0
  var place: [Int] = []
  for index in tensor.shape.indices {
    let (found, wanted) = (tensor.float(index), formula(index))
    if found.isNaN && wanted.isNaN || found == wanted { continue }
    let distance = abs(found - wanted) / Swift.max(1, abs(wanted))
    if !(distance <= worst) { (worst, place) = (distance, index) }
  }
  #expect(
    worst <= tolerance, "off by \(worst) at \(place); \(comment ?? "")",
    sourceLocation: sourceLocation)
}

/// Expects the same bits.
func expectEqualBits(
  _ a: Tensor, _ b: Tensor, sourceLocation: SourceLocation = #_sourceLocation
) {
  let (x, y) = (a.contiguous(), b.contiguous())
  let bytes = { (t: Tensor) in UnsafeRawBufferPointer(start: t.base, count: t.byteCount) }
  #expect(bytes(x).elementsEqual(bytes(y)), sourceLocation: sourceLocation)
}
