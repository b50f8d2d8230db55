import GraphIR
import Kernels
import Tensors

/// [DFT](https://onnx.ai/onnx/operators/onnx__DFT.html): the discrete Fourier transform along one
/// axis of real or complex numbers, the last axis holding their one or two parts.
///
/// Computed in double precision; a transform of n elements takes n · log n steps.
struct DFT: Operator {
  static let key: OpKey = "DFT"
  static let versions = 17...24

  private let axisAttribute: Int?
  private let isInverse: Bool
  private let isOneSided: Bool

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...(node.opset < 20 ? 2 : 3))
    axisAttribute = node.opset < 20 ? try node.int("axis", default: 1) : nil
    isInverse = try node.flag("inverse", default: false)
    isOneSided = try node.flag("onesided", default: false)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let type = try inputs.tensorType(0)
    try ElementTypes.floatingPoint.require(type.dataType, operand: 0)
    guard var shape = type.shape else { return [ValueFact(type.dataType, nil)] }
    let given = inputs.optional(2)
    let axis = axisAttribute ?? (given == nil ? -2 : given?.integers?.first)
    let length = inputs.optional(1)?.elements?.first
    let parts: Dimension = isOneSided && isInverse ? 1 : 2
    guard let axis else {
      let sizes = shape.dropLast().map { _ in context.makeSymbol() }
      return [ValueFact(type.dataType, sizes + [parts])]
    }
    let position = try position(axis, rank: shape.count)
    if inputs.optional(1) != nil { shape[position] = length ?? context.makeSymbol() }
    if isOneSided, !isInverse {
      shape[position] = (shape[position].floorDivided(by: 2) ?? 0) + 1
    } else if isOneSided, inputs.optional(1) == nil {
      shape[position] = (shape[position] - 1) * 2
    }
    shape[shape.count - 1] = parts
    return [ValueFact(type.dataType, shape)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let x = try inputs.tensor(0)
    let wanted = try inputs.integers(2)?.first
    let axis = try position(axisAttribute ?? wanted ?? -2, rank: x.rank)
    let parts = x.shape[x.rank - 1]
    guard parts == 1 || parts == 2 else {
      throw .badOperands("the last axis of \(x.shape) holds neither real nor complex numbers")
    }
    let given = try inputs.integers(1)?.first
    let own = x.shape[axis]
    let length = given ?? (isOneSided && isInverse ? (own - 1) * 2 : own)
    guard length > 0, length <= Int(Int32.max) else {
      throw .badOperands("a transform of \(length) elements has no meaning")
    }
    let kept = isOneSided && !isInverse ? length / 2 + 1 : length
    var dimensions = x.shape.dimensions
    dimensions[axis] = kept
    dimensions[x.rank - 1] = isOneSided && isInverse ? 1 : 2
    let result = try context.makeTensor(.float64, .checked(dimensions))
    let source = try x.cast(to: .float64, context).contiguous()
    transform(source, axis, length, into: result)
    return [.tensor(try result.cast(to: x.dataType, context))]
  }

  private func transform(_ source: Tensor, _ axis: Int, _ length: Int, into result: Tensor) {
    let parts = source.shape[source.rank - 1]
    let kept = result.shape[axis]
    let keptParts = result.shape[result.rank - 1]
    let own = source.shape[axis]
    let inner = source.shape.dimensions[(axis + 1)..<(source.rank - 1)].reduce(1, *)
    let outer = source.shape.dimensions[..<axis].reduce(1, *)
    let (from, to) = (source.pointer(as: Double.self), result.pointer(as: Double.self))
    for block in 0..<outer {
      for i in 0..<inner {
        var real = [Double](repeating: 0, count: length)
        var imaginary = real
        for n in 0..<min(own, length) {
          let place = ((block * own + n) * inner + i) * parts
          real[n] = from[place]
          if parts == 2 { imaginary[n] = from[place + 1] }
        }
        if isOneSided, isInverse {
          for n in (length / 2 + 1)..<max(length, length / 2 + 1) {
            real[n] = real[length - n]
            imaginary[n] = -imaginary[length - n]
          }
        }
        Fourier.transform(&real, &imaginary, isInverse: isInverse)
        for n in 0..<kept {
          let place = ((block * kept + n) * inner + i) * keptParts
          to[place] = real[n]
          if keptParts == 2 { to[place + 1] = imaginary[n] }
        }
      }
    }
  }

  /// The axis counted from the front; the last one is refused.
  private func position(_ axis: Int, rank: Int) throws(OperatorError) -> Int {
    let position = try Axes.normalize(axis, rank: rank)
    guard position < rank - 1 else {
      throw .badOperands("axis \(axis) holds the parts of the numbers")
    }
    return position
  }
}
