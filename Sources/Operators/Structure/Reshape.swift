import GraphIR
import Tensors

/// [Reshape](https://onnx.ai/onnx/operators/onnx__Reshape.html): the same elements in row-major
/// order under another shape.
///
/// In the target a 0 keeps the operand's size unless `allowzero` is set, and one -1 takes what is
/// left.
struct Reshape: Operator {
  static let key: OpKey = "Reshape"
  static let versions = 5...24

  private let zeroIsASize: Bool

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...2)
    zeroIsASize = try node.flag("allowzero", default: false)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let data = try inputs.required(0)
    let target = try inputs.required(1)
    guard let sizes = target.elements else {
      let rank = target.shape?.first?.value
      return [ValueFact(data.dataType, rank.map { (0..<$0).map { _ in context.makeSymbol() } })]
    }
    let shape = try resolve(sizes, data.shape, unknown: context.makeSymbol)
    return [ValueFact(data.dataType, shape, elements: data.elements)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let data = try inputs.tensor(0)
    guard let target = try inputs.integers(1) else { throw .badOperands("operand 1 is missing") }
    let sizes = try resolve(
      target.map { Dimension($0) }, [Dimension](data.shape), unknown: { Dimension(-1) })
    return [.tensor(try data.reshaped(to: Shape.concrete(sizes), context))]
  }

  private func resolve(
    _ target: [Dimension], _ data: [Dimension]?, unknown: () -> Dimension
  ) throws(OperatorError) -> [Dimension] {
    var result = target
    for (axis, size) in target.enumerated() where size.value == 0 && !zeroIsASize {
      guard let data else {
        result[axis] = unknown()
        continue
      }
      guard axis < data.count else {
        throw .badOperands("target \(target) keeps axis \(axis) of a tensor of rank \(data.count)")
      }
      result[axis] = data[axis]
    }
    if let wrong = target.compactMap(\.value).first(where: { $0 < -1 }) {
      throw .badOperands("target \(target) has the size \(wrong)")
    }
    let open = target.indices.filter { target[$0].value == -1 }
    guard open.count <= 1 else { throw .badOperands("target \(target) has -1 more than once") }
    if let axis = open.first {
      var others = result
      others.remove(at: axis)
      if let data {
        result[axis] = try remaining(of: data, besides: others)
      } else {
        result[axis] = unknown()
      }
    } else if let data, let count = data.product.value, let wanted = result.product.value,
      count != wanted
    {
      throw .badOperands("\(data) cannot become \(target): \(count) elements are not \(wanted)")
    }
    return result
  }

  /// The size that -1 stands for: an exact quotient where there is one, else an opaque symbol.
  private func remaining(
    of data: [Dimension], besides others: [Dimension]
  ) throws(OperatorError) -> Dimension {
    var dividend = data
    var divisor = others
    for size in others where size.value != 0 {
      if let same = dividend.firstIndex(of: size), let other = divisor.firstIndex(of: size) {
        dividend.remove(at: same)
        divisor.remove(at: other)
      }
    }
    let (count, part) = (dividend.product, divisor.product)
    guard let quotient = count.floorDivided(by: part) else {
      throw .badOperands("-1 has no meaning beside a size of 0 in \(others)")
    }
    if let count = count.value, let part = part.value, count % part != 0 {
      throw .badOperands("\(data) has no whole number of \(others)")
    }
    return quotient
  }
}
