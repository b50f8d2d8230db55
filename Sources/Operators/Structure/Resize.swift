import GraphIR
import Kernels
import Tensors

/// [Resize](https://onnx.ai/onnx/operators/onnx__Resize.html): a tensor sampled at other sizes, axis
/// by axis: nearest, linear or cubic, with or without antialiasing.
///
/// Before operator set 11 coordinates are asymmetric, and the nearest neighbour is the lower one
/// when enlarging and the upper one when reducing, as in ONNX Runtime
/// (onnxruntime/core/providers/cpu/tensor/upsample.h).
struct Resize: Operator {
  static let key: OpKey = "Resize"
  static let versions = 10...24

  private let sampling: ResizeSampling
  private let axes: [Int]?
  private let policy: String
  private let operands: (region: Int?, scales: Int, sizes: Int?)

  init(_ node: inout NodeReader) throws(OperatorError) {
    let isOld = node.opset < 11
    try node.requireInputs(isOld ? 2...2 : 1...4)
    sampling = try ResizeSampling(&node)
    axes = node.opset >= 18 ? try node.ints("axes") : nil
    policy =
      node.opset >= 18
      ? try node.word(
        "keep_aspect_ratio_policy", in: ["stretch", "not_larger", "not_smaller"],
        default: "stretch") : "stretch"
    operands = isOld ? (nil, 1, nil) : (1, 2, 3)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let type = try inputs.tensorType(0)
    try ElementTypes.numbers.require(type.dataType, operand: 0)
    guard let shape = type.shape else { return [ValueFact(type.dataType, nil)] }
    let scales = inputs.optional(operands.scales)
    let sizes = operands.sizes.flatMap { inputs.optional($0) }
    guard let known = type.concreteShape,
      scales?.constant != nil || (scales?.shape == [0] || scales == nil),
      sizes?.integers != nil || sizes == nil
    else {
      guard let wanted = sizes?.elements, policy == "stretch" else {
        return [ValueFact(type.dataType, shape.map { _ in context.makeSymbol() })]
      }
      var result = shape
      for (axis, size) in zip(try resizedAxes(rank: shape.count), wanted) { result[axis] = size }
      return [ValueFact(type.dataType, result)]
    }
    let plan = try plan(known, scales: scales?.constant, sizes: sizes?.integers)
    return [ValueFact(type.dataType, plan.map { Dimension($0.size) })]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let x = try inputs.tensor(0)
    let scales = try inputs.optionalTensor(operands.scales)
    var sizes: [Int]?
    if let position = operands.sizes { sizes = try inputs.integers(position) }
    let plan = try plan(x.shape, scales: scales, sizes: sizes)
    var region: [Double] = []
    if let position = operands.region, let roi = try inputs.optionalTensor(position) {
      region = try roi.cast(to: .float64, context).elements(as: Double.self)
    }
    let resized = try resizedAxes(rank: x.rank)
    var result = x
    if !sampling.isExact {
      result = try x.cast(to: x.dataType == .float64 ? .float64 : .float32, context)
    }
    var outside: [(axis: Int, places: [Bool])] = []
    for (position, axis) in resized.enumerated() {
      let step = plan[axis]
      guard step.size != x.shape[axis] || step.scale != 1 || sampling.needsRegion else { continue }
      guard x.shape[axis] > 0 || step.size == 0 else {
        throw .badOperands("an empty axis cannot be enlarged")
      }
      let bounds = try sampling.bounds(region, position, of: resized.count)
      let taps = sampling.taps(length: x.shape[axis], step.size, scale: step.scale, bounds)
      var dimensions = result.shape.dimensions
      dimensions[axis] = step.size
      let source = result
      result = try context.tensor(result.dataType, try .checked(dimensions)) {
        (output) throws(KernelError) in
        if sampling.isExact {
          try Indexing.gather(source, axis: axis, taps.map { $0.positions[0] }, into: output)
        } else {
          try Resampling.resample(source, axis: axis, taps, into: output)
        }
      }
      if sampling.needsRegion {
        outside.append(
          (axis, sampling.outside(length: x.shape[axis], step.size, scale: step.scale, bounds)))
      }
    }
    for (axis, places) in outside {
      let value = try Tensor.scalar(sampling.extrapolation, as: result.dataType)
      if result.storage === x.storage { result = try result.copied(context) }
      for (place, isOutside) in places.enumerated() where isOutside {
        Copying.fill(result.sliced(axis: axis, first: place, count: 1), with: value)
      }
    }
    return [.tensor(try result.cast(to: x.dataType, context))]
  }

  private func resizedAxes(rank: Int) throws(OperatorError) -> [Int] {
    try axes.map { (axes) throws(OperatorError) in try Axes.normalize(axes, rank: rank) }
      ?? Array(0..<rank)
  }

  /// The size of every axis, and by how much it grows.
  private func plan(
    _ shape: Shape, scales: Tensor?, sizes: [Int]?
  ) throws(OperatorError) -> [(size: Int, scale: Double)] {
    var result = shape.dimensions.map { (size: $0, scale: 1.0) }
    let resized = try resizedAxes(rank: shape.rank)
    if let sizes, !sizes.isEmpty {
      guard sizes.count == resized.count, sizes.allSatisfy({ $0 >= 0 && $0 <= Int(Int32.max) })
      else { throw .badOperands("sizes \(sizes) do not fit \(resized.count) axes") }
      var factors = zip(sizes, resized).map { Double($0) / Double(max(1, shape[$1])) }
      if policy != "stretch", let shared = policy == "not_larger" ? factors.min() : factors.max() {
        factors = factors.map { _ in shared }
      }
      for (position, axis) in resized.enumerated() {
        let size =
          policy == "stretch"
          ? sizes[position] : Int((factors[position] * Double(shape[axis]) + 0.5).rounded(.down))
        result[axis] = (size, factors[position])
      }
      return result
    }
    guard let scales, scales.dataType == .float32, scales.elementCount == resized.count else {
      throw .badOperands("neither sizes nor \(resized.count) float32 scales are given")
    }
    for (factor, axis) in zip(scales.elements(as: Float.self), resized) {
      let size = (Double(factor) * Double(shape[axis])).rounded(.down)
      guard factor > 0, size <= Double(Int32.max) else {
        throw .badOperands("axis \(axis) of size \(shape[axis]) cannot grow by \(factor)")
      }
      result[axis] = (Int(size), Double(factor))
    }
    return result
  }
}

extension Tensor {
  /// The elements in new memory.
  fileprivate func copied(_ context: any RunContext) throws(OperatorError) -> Tensor {
    let copy = try context.makeTensor(dataType, shape)
    Copying.copy(self, into: copy)
    return copy
  }
}
