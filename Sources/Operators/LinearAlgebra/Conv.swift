import GraphIR
import Kernels
import Tensors

/// [Conv](https://onnx.ai/onnx/operators/onnx__Conv.html): convolution along any number of spatial
/// axes.
///
/// Only for floating-point numbers.
struct Conv: Operator {
  static let key: OpKey = "Conv"
  static let versions = 7...24

  private enum Padding: String {
    case explicit = "NOTSET"
    case none = "VALID"
    case sameUpper = "SAME_UPPER"
    case sameLower = "SAME_LOWER"
  }

  private let padding: Padding
  private let kernel: [Int]?
  private let strides: [Int]?
  private let dilations: [Int]?
  private let pads: [Int]?
  private let groups: Int

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...3)
    try self.init(attributesOf: &node)
  }

  /// The attributes of a node of any operator that convolves.
  init(attributesOf node: inout NodeReader) throws(OperatorError) {
    let word = try node.word(
      "auto_pad", in: ["NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"], default: "NOTSET")
    padding = Padding(rawValue: word) ?? .explicit
    kernel = try node.ints("kernel_shape")
    strides = try node.ints("strides")
    dilations = try node.ints("dilations")
    pads = try node.ints("pads")
    groups = try node.int("group", default: 1)
    guard groups > 0 else { throw .badOperands("attribute 'group' is \(groups)") }
    let steps = (strides ?? []) + (dilations ?? [])
    guard steps.allSatisfy({ $0 > 0 && $0 <= Int(Int32.max) }) else {
      throw .badOperands("strides and dilations \(steps) are not all positive")
    }
    guard (pads ?? []).allSatisfy({ $0 >= 0 && $0 <= Int(Int32.max) }) else {
      throw .badOperands("pads \(pads ?? []) are negative or too large")
    }
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let dataType = try inputs.sharedDataType(.floatingPoint, of: 0...2)
    let shape = try shape(
      try inputs.tensorType(0).shape, try inputs.tensorType(1).shape,
      bias: try inputs.optionalTensorType(2)?.shape, context)
    return [ValueFact(dataType, shape)]
  }

  /// The shape of the result for those of an input, filters and a bias.
  func shape(
    _ input: [Dimension]?, _ weight: [Dimension]?, bias: [Dimension]?,
    _ context: any InferenceContext
  ) throws(OperatorError) -> [Dimension]? {
    guard let input, let weight else { return nil }
    try check(input, weight, bias: bias)
    var shape = [input[0], weight[0]]
    for axis in 0..<input.count - 2 {
      guard let length = kernel?[axis] ?? weight[axis + 2].value else {
        shape.append(context.makeSymbol())
        continue
      }
      shape.append(try outputLength(input[axis + 2], kernel: length, axis, input.count - 2))
    }
    return shape
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let result = try convolve(
      try inputs.tensor(0), try inputs.tensor(1), bias: try inputs.optionalTensor(2), context)
    return [.tensor(result)]
  }

  /// The convolution of an input with filters.
  func convolve(
    _ x: Tensor, _ weight: Tensor, bias: Tensor?, _ context: any RunContext
  ) throws(OperatorError) -> Tensor {
    let axes = x.rank - 2
    var dimensions = [x.shape[0], weight.shape[0]]
    var geometry = ConvolutionGeometry(
      strides: strides ?? Array(repeating: 1, count: axes),
      dilations: dilations ?? Array(repeating: 1, count: axes), padsBefore: [], padsAfter: [],
      groups: groups)
    for axis in 0..<axes {
      let (length, kernel) = (x.shape[axis + 2], weight.shape[axis + 2])
      let output = try outputLength(Dimension(length), kernel: kernel, axis, axes).value ?? 0
      dimensions.append(output)
      let reach = (output - 1) * geometry.strides[axis] + extent(kernel, axis)
      let (before, after) = padding(axis, axes, missing: Swift.max(0, reach - length))
      geometry.padsBefore.append(before)
      geometry.padsAfter.append(after)
    }
    return try context.tensor(x.dataType, try Shape.checked(dimensions)) {
      (output) throws(KernelError) in
      try Convolution.convolve(x, weight: weight, bias: bias, geometry: geometry, into: output)
    }
  }

  /// 2 · output elements · elements of one filter; the bias is not counted.
  func flops(inputs: [ValueFact?], outputs: [ValueFact]) -> Int? {
    guard let weight = inputs.optional(1)?.shape else { return nil }
    return Flops.product(outputs.first, inner: weight.dropFirst().reduce(1, *))
  }

  /// Elements of the padded input that a kernel of a length spans.
  private func extent(_ kernel: Int, _ axis: Int) -> Int {
    (dilations?[axis] ?? 1) * (kernel - 1) + 1
  }

  /// Zeros before and after an axis; `missing` is what the output needs beyond the input.
  private func padding(_ axis: Int, _ axes: Int, missing: Int) -> (before: Int, after: Int) {
    switch padding {
    case .explicit: (pads?[axis] ?? 0, pads?[axis + axes] ?? 0)
    case .none: (0, 0)
    case .sameUpper: (missing / 2, missing - missing / 2)
    case .sameLower: (missing - missing / 2, missing / 2)
    }
  }

  private func outputLength(
    _ input: Dimension, kernel: Int, _ axis: Int, _ axes: Int
  ) throws(OperatorError) -> Dimension {
    let stride = Dimension(strides?[axis] ?? 1)
    let positions: Dimension
    switch padding {
    case .sameUpper, .sameLower: positions = input - 1
    case .explicit, .none:
      let (before, after) = padding(axis, axes, missing: 0)
      positions = input + Dimension(before) + Dimension(after) - Dimension(extent(kernel, axis))
    }
    if let room = positions.value, room < 0 {
      if input.value == 0, padding != .explicit { return 0 }
      throw .badOperands(
        "a kernel that spans \(extent(kernel, axis)) elements does not fit axis \(axis + 2)")
    }
    guard let steps = positions.floorDivided(by: stride) else {
      throw .badOperands("strides are not all positive")
    }
    return steps + 1
  }

  private func check(
    _ input: [Dimension], _ weight: [Dimension], bias: [Dimension]?
  ) throws(OperatorError) {
    let axes = input.count - 2
    guard axes > 0, weight.count == input.count else {
      throw .badOperands("an input of shape \(input) and filters of shape \(weight) do not fit")
    }
    for list in [kernel, strides, dilations] where list != nil && list?.count != axes {
      throw .badOperands("attribute \(list ?? []) should have \(axes) elements")
    }
    if padding == .explicit, let pads, pads.count != 2 * axes {
      throw .badOperands("pads \(pads) should have \(2 * axes) elements")
    }
    let lengths = weight.dropFirst(2).map(\.value)
    for (length, expected) in zip(lengths, kernel ?? []) where (length ?? expected) != expected {
      throw .badOperands("kernel_shape is \(kernel ?? []), but filters have shape \(weight)")
    }
    guard !lengths.contains(0) else { throw .badOperands("filters of shape \(weight) are empty") }
    if let channels = input[1].value, let own = weight[1].value {
      let (needed, overflow) = own.multipliedReportingOverflow(by: groups)
      guard !overflow, needed == channels else {
        throw .badOperands(
          "\(channels) channels do not fit \(groups) groups of filters of shape \(weight)")
      }
    }
    guard (weight[0].value ?? 0) % groups == 0 else {
      throw .badOperands("\(weight[0]) filters do not form \(groups) groups")
    }
    if let bias, bias.count != 1 {
      throw .badOperands("a bias has one axis, not shape \(bias)")
    }
    if let count = bias?.first?.value, let filters = weight[0].value, count != filters {
      throw .badOperands("\(count) biases for \(filters) filters")
    }
  }
}
