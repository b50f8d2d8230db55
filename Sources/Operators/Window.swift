import GraphIR
import Tensors

/// A window that slides along spatial axes: the attributes of pooling operators.
///
/// A window begins inside the padded operand; with `ceil_mode` the last one may leave it.
struct Window {
  private let kernel: [Int]
  private let strides: [Int]
  private let dilations: [Int]
  private let pads: [Int]
  private let roundsUp: Bool
  private let automatic: String

  /// Reads `kernel_shape`, `strides`, `dilations`, `pads`, `auto_pad` and `ceil_mode`.
  init(_ node: inout NodeReader) throws(OperatorError) {
    guard let kernel = try node.ints("kernel_shape"), !kernel.isEmpty else {
      throw .badOperands("'kernel_shape' is missing")
    }
    let ones = [Int](repeating: 1, count: kernel.count)
    self.kernel = kernel
    strides = try node.ints("strides") ?? ones
    dilations = try node.ints("dilations") ?? ones
    pads = try node.ints("pads") ?? ones.map { _ in 0 } + ones.map { _ in 0 }
    roundsUp = try node.flag("ceil_mode", default: false)
    automatic = try node.word(
      "auto_pad", in: ["NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"], default: "NOTSET")
    guard strides.count == kernel.count, dilations.count == kernel.count,
      pads.count == 2 * kernel.count
    else { throw .badOperands("strides, dilations and pads do not fit a window of \(kernel)") }
    let limit = 1...Int(Int32.max)
    guard (kernel + strides + dilations).allSatisfy(limit.contains) else {
      throw .badOperands("a window of \(kernel), its strides and dilations must be positive")
    }
    guard pads.allSatisfy({ $0 >= 0 && $0 < limit.upperBound }) else {
      throw .badOperands("pads \(pads) are negative or too large")
    }
    for axis in kernel.indices where max(pads[axis], pads[axis + kernel.count]) >= extent(axis) {
      throw .badOperands("pads \(pads) are as wide as a window of \(kernel)")
    }
  }

  /// How many elements a window has.
  var elementCount: Int { kernel.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue } }

  /// The number of spatial axes.
  var rank: Int { kernel.count }

  /// How many windows there are along each spatial axis.
  func sizes(_ spatial: [Dimension]) throws(OperatorError) -> [Dimension] {
    guard spatial.count == kernel.count else {
      throw .badOperands("a window of \(kernel) does not fit \(spatial.count) spatial axes")
    }
    var result: [Dimension] = []
    for axis in kernel.indices { result.append(try size(spatial[axis], axis)) }
    return result
  }

  /// Which elements of an axis each window sees, and how many it would see with the pads.
  func views(of length: Int, axis: Int) throws(OperatorError) -> [(elements: [Int], padded: Int)] {
    let count = try size(Dimension(length), axis).value ?? 0
    let missing = max(0, (count - 1) * strides[axis] + extent(axis) - length)
    var (before, after) = (pads[axis], pads[axis + kernel.count])
    switch automatic {
    case "VALID": (before, after) = (0, 0)
    case "SAME_UPPER": (before, after) = (missing / 2, missing - missing / 2)
    case "SAME_LOWER": (before, after) = (missing - missing / 2, missing / 2)
    default: break
    }
    return (0..<count).map { place in
      let positions = (0..<kernel[axis]).map {
        place * strides[axis] - before + $0 * dilations[axis]
      }
      return (
        positions.filter { $0 >= 0 && $0 < length },
        positions.count { $0 < length + after }
      )
    }
  }

  private func extent(_ axis: Int) -> Int { (kernel[axis] - 1) * dilations[axis] + 1 }

  private func size(_ length: Dimension, _ axis: Int) throws(OperatorError) -> Dimension {
    let stride = Dimension(strides[axis])
    if automatic.hasPrefix("SAME") {
      return (length + stride - 1).floorDivided(by: stride) ?? length
    }
    let isExplicit = automatic == "NOTSET"
    let before = Dimension(isExplicit ? pads[axis] : 0)
    let after = Dimension(isExplicit ? pads[axis + kernel.count] : 0)
    let room = length + before + after - Dimension(extent(axis))
    if let room = room.value, room < 0 {
      throw .badOperands("a window that spans \(extent(axis)) elements does not fit \(length)")
    }
    let rounded = roundsUp && isExplicit ? room + stride - 1 : room
    let count = (rounded.floorDivided(by: stride) ?? rounded) + 1
    if let number = count.value, let length = length.value, roundsUp, isExplicit,
      (number - 1) * strides[axis] >= length + pads[axis]
    {
      return Dimension(number - 1)
    }
    return count
  }
}
