import GraphIR
import Kernels
import Tensors

/// [ConvTranspose](https://onnx.ai/onnx/operators/onnx__ConvTranspose.html): the transposition of a
/// convolution along any number of spatial axes.
///
/// Only for floating-point numbers.
struct ConvTranspose: Operator {
  static let key: OpKey = "ConvTranspose"
  static let versions = 1...24

  private let kernel: [Int]?
  private let strides: [Int]?
  private let dilations: [Int]?
  private let pads: [Int]?
  private let extra: [Int]?
  private let sizes: [Int]?
  private let padding: String
  private let groups: Int

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...3)
    padding = try node.word(
      "auto_pad", in: ["NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"], default: "NOTSET")
    kernel = try node.ints("kernel_shape")
    strides = try node.ints("strides")
    dilations = try node.ints("dilations")
    pads = try node.ints("pads")
    extra = try node.ints("output_padding")
    sizes = try node.ints("output_shape")
    groups = try node.int("group", default: 1)
    let limit = Int(Int32.max)
    guard groups > 0, groups < limit else { throw .badOperands("attribute 'group' is \(groups)") }
    let steps = (strides ?? []) + (dilations ?? []) + (sizes ?? [])
    guard steps.allSatisfy({ (1...limit).contains($0) }) else {
      throw .badOperands("strides, dilations and sizes \(steps) are not all positive")
    }
    let widths = (pads ?? []) + (extra ?? [])
    guard widths.allSatisfy({ (0...limit).contains($0) }) else {
      throw .badOperands("pads \(widths) are negative or too large")
    }
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let dataType = try inputs.sharedDataType(.floatingPoint, of: 0...2)
    guard let input = try inputs.tensorType(0).shape,
      let weight = try inputs.tensorType(1).shape
    else { return [ValueFact(dataType, nil)] }
    try check(input, weight, bias: try inputs.optionalTensorType(2)?.shape)
    var shape = [input[0], weight[1] * Dimension(groups)]
    for axis in 0..<input.count - 2 {
      guard let length = kernel?[axis] ?? weight[axis + 2].value else {
        shape.append(context.makeSymbol())
        continue
      }
      shape.append(try place(axis, of: input[axis + 2], kernel: length, input.count - 2).size)
    }
    return [ValueFact(dataType, shape)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let (x, weight) = (try inputs.tensor(0), try inputs.tensor(1))
    let bias = try inputs.optionalTensor(2)
    let axes = x.rank - 2
    var dimensions = [Dimension(x.shape[0]), Dimension(weight.shape[1]) * Dimension(groups)]
    let ones = [Int](repeating: 1, count: axes)
    var geometry = ConvolutionGeometry(
      strides: strides ?? ones, dilations: dilations ?? ones, padsBefore: [], padsAfter: [],
      groups: groups)
    for axis in 0..<axes {
      let (size, before) = try place(
        axis, of: Dimension(x.shape[axis + 2]), kernel: weight.shape[axis + 2], axes)
      dimensions.append(size)
      geometry.padsBefore.append(before)
    }
    let result = try context.tensor(x.dataType, try .concrete(dimensions)) {
      (output) throws(KernelError) in
      try Convolution.transposed(x, weight: weight, bias: bias, geometry: geometry, into: output)
    }
    return [.tensor(result)]
  }

  /// 2 · elements of the operand · elements that one of them is spread over.
  func flops(inputs: [ValueFact?], outputs: [ValueFact]) -> Int? {
    guard let weight = inputs.optional(1)?.shape else { return nil }
    return Flops.product(inputs.optional(0), inner: weight.dropFirst().reduce(1, *))
  }

  /// The size of an axis of the result, and how much is cut off before it.
  private func place(
    _ axis: Int, of length: Dimension, kernel: Int, _ axes: Int
  ) throws(OperatorError) -> (size: Dimension, before: Int) {
    let stride = strides?[axis] ?? 1
    let extent = (dilations?[axis] ?? 1) * (kernel - 1) + 1
    let whole =
      (length - 1) * Dimension(stride) + Dimension(extent) + Dimension(extra?[axis] ?? 0)
    let isSame = padding.hasPrefix("SAME")
    guard sizes != nil || isSame else {
      let (before, after) =
        padding == "VALID" ? (0, 0) : (pads?[axis] ?? 0, pads?[axis + axes] ?? 0)
      let size = whole - Dimension(before) - Dimension(after)
      if let number = size.value, number < 0 {
        throw .badOperands("pads \(pads ?? []) leave nothing of axis \(axis + 2)")
      }
      return (size, before)
    }
    let size = sizes.map { Dimension($0[axis]) } ?? length * Dimension(stride)
    let missing = max(0, (whole - size).value ?? 0)
    let half = missing / 2
    return (size, padding == "SAME_UPPER" ? half : missing - half)
  }

  private func check(
    _ input: [Dimension], _ weight: [Dimension], bias: [Dimension]?
  ) throws(OperatorError) {
    let axes = input.count - 2
    guard axes > 0, weight.count == input.count else {
      throw .badOperands("an input of shape \(input) and filters of shape \(weight) do not fit")
    }
    for list in [kernel, strides, dilations, extra, sizes] where list != nil && list?.count != axes
    {
      throw .badOperands("attribute \(list ?? []) should have \(axes) elements")
    }
    if let pads, pads.count != 2 * axes {
      throw .badOperands("pads \(pads) should have \(2 * axes) elements")
    }
    let lengths = weight.dropFirst(2).map(\.value)
    for (length, expected) in zip(lengths, kernel ?? []) where (length ?? expected) != expected {
      throw .badOperands("kernel_shape is \(kernel ?? []), but filters have shape \(weight)")
    }
    guard !lengths.contains(0) else { throw .badOperands("filters of shape \(weight) are empty") }
    if let channels = input[1].value, let own = weight[0].value {
      guard channels == own, channels % groups == 0 else {
        throw .badOperands(
          "\(channels) channels do not fit \(groups) groups of filters of shape \(weight)")
      }
    }
    if let bias, bias.count != 1 { throw .badOperands("a bias has one axis, not shape \(bias)") }
    if let count = bias?.first?.value, let own = weight[1].value, count != own * groups {
      throw .badOperands("\(count) biases for \(own * groups) channels")
    }
  }
}
