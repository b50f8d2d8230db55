import GraphIR
import Glibc
import Kernels
import Tensors

/// How `Resize` samples one axis.
struct ResizeSampling {
  private let mode: String
  private let coordinates: String
  private let nearest: String
  private let cubic: Double
  private let excludesOutside: Bool
  private let smooths: Bool

  /// What stands where coordinates leave the tensor, for `tf_crop_and_resize`.
  let extrapolation: Float

  /// Reads the attributes of a node.
  init(_ node: inout NodeReader) throws(OperatorError) {
    mode = try node.word("mode", in: ["nearest", "linear", "cubic"], default: "nearest")
    guard node.opset >= 11 else {
      (coordinates, nearest, cubic) = ("asymmetric", "simple", -0.75)
      (excludesOutside, smooths, extrapolation) = (false, false, 0)
      guard mode != "cubic" else { throw .unsupported("cubic before operator set 11") }
      return
    }
    var words = [
      "half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "tf_crop_and_resize",
    ]
    if node.opset < 13 { words.append("tf_half_pixel_for_nn") }
    if node.opset >= 19 { words.append("half_pixel_symmetric") }
    coordinates = try node.word(
      "coordinate_transformation_mode", in: words, default: "half_pixel")
    nearest = try node.word(
      "nearest_mode", in: ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"],
      default: "round_prefer_floor")
    cubic = Double(try node.float("cubic_coeff_a", default: -0.75))
    excludesOutside = try node.flag("exclude_outside", default: false)
    extrapolation = try node.float("extrapolation_value", default: 0)
    smooths = node.opset >= 18 ? try node.flag("antialias", default: false) : false
  }

  /// Whether elements are taken as they are.
  var isExact: Bool { mode == "nearest" }

  /// Whether a region is read.
  var needsRegion: Bool { coordinates == "tf_crop_and_resize" }

  /// The part of an axis that is sampled, 0 to 1 unless a region says otherwise.
  func bounds(
    _ region: [Double], _ position: Int, of count: Int
  ) throws(OperatorError) -> (Double, Double) {
    guard needsRegion else { return (0, 1) }
    guard region.count == 2 * count else {
      throw .badOperands("a region of \(region.count) numbers does not fit \(count) axes")
    }
    return (region[position], region[count + position])
  }

  /// Which places of a result lie outside the operand.
  func outside(
    length: Int, _ size: Int, scale: Double, _ bounds: (Double, Double)
  ) -> [Bool] {
    (0..<size).map { place in
      let x = coordinate(of: place, length, size, scale, bounds)
      return x < 0 || x > Double(length - 1)
    }
  }

  /// What each place of a result is made of.
  func taps(
    length: Int, _ size: Int, scale: Double, _ bounds: (Double, Double)
  ) -> [Resampling.Tap] {
    (0..<size).map { place in
      let x = coordinate(of: place, length, size, scale, bounds)
      guard !isExact else {
        let position = max(0, min(Double(length - 1), nearestPosition(x, scale)))
        return Resampling.Tap(positions: [position.isNaN ? 0 : Int(position)], weights: [1])
      }
      return tap(at: x, length, scale)
    }
  }

  private func coordinate(
    of place: Int, _ length: Int, _ size: Int, _ scale: Double, _ bounds: (Double, Double)
  ) -> Double {
    let (x, last, width) = (Double(place), Double(length - 1), scale * Double(length))
    switch coordinates {
    case "align_corners": return width == 1 ? 0 : x * last / (width - 1)
    case "asymmetric": return x / scale
    case "tf_crop_and_resize":
      let part = bounds.1 - bounds.0
      return bounds.0 * last + (width == 1 ? part * last / 2 : x * part * last / (width - 1))
    case "pytorch_half_pixel": return width == 1 ? -0.5 : (x + 0.5) / scale - 0.5
    case "tf_half_pixel_for_nn": return (x + 0.5) / scale
    case "half_pixel_symmetric":
      let adjustment = Double(size) / width
      return Double(length) / 2 * (1 - adjustment) + (x + 0.5) / scale - 0.5
    default: return (x + 0.5) / scale - 0.5
    }
  }

  private func nearestPosition(_ x: Double, _ scale: Double) -> Double {
    switch nearest {
    case "simple": scale < 1 ? x.rounded(.up) : x.rounded(.towardZero)
    case "floor": x.rounded(.down)
    case "ceil": x.rounded(.up)
    case "round_prefer_ceil": (x + 0.5).rounded(.down)
    default: (x - 0.5).rounded(.up)
    }
  }

  /// Neighbours beyond the ends are those at the ends, or left out.
  private func tap(at x: Double, _ length: Int, _ scale: Double) -> Resampling.Tap {
    let stretch = smooths ? min(scale, 1) : 1
    let reach = (mode == "cubic" ? 2 : 1) / stretch
    let center = max(-1e9, min(1e9, x))
    let first = Int((center - reach).rounded(.down)) + 1
    let last = max(first, Int((center + reach).rounded(.up)) - 1)
    var positions: [Int] = []
    var weights: [Double] = []
    for position in first...last {
      let isOutside = position < 0 || position >= length
      let weight = kernel((Double(position) - center) * stretch)
      guard !(isOutside && excludesOutside), weight != 0 else { continue }
      positions.append(max(0, min(length - 1, position)))
      weights.append(weight)
    }
    let total = weights.reduce(0, +)
    guard total != 0 else {
      let nearest = max(0, min(length - 1, Int(center.rounded())))
      return Resampling.Tap(positions: [nearest], weights: [1])
    }
    if smooths || excludesOutside { weights = weights.map { $0 / total } }
    return Resampling.Tap(positions: positions, weights: weights)
  }

  /// The weight of a neighbour at a distance: a triangle, or Keys' cubic.
  ///
  /// The latter is that of "Cubic convolution interpolation for digital image processing", 1981.
  private func kernel(_ distance: Double) -> Double {
    let d = abs(distance)
    guard mode == "cubic" else { return max(0, 1 - d) }
    if d <= 1 { return ((cubic + 2) * d - (cubic + 3)) * d * d + 1 }
    return d < 2 ? ((d - 5) * d + 8) * d * cubic - 4 * cubic : 0
  }
}
