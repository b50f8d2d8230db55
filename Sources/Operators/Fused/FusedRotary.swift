import GraphIR
import Kernels
import Tensors

/// Rotary position embedding of the last axis, written by a fusion in place of its parts.
///
/// Operands: x, cosines, sines, each `float32`, `float16` or `bfloat16`; see `Rotation`. So is the
/// result, by `to`, or else of the type of x. With `paired_input` x is
/// [..., D/2, 2] and the result [..., D].
struct FusedRotary: PlacedOperator {
  static let key = OpKey("FusedRotary", domain: "ai.ditcache")
  static let versions = 1...1

  private let form: Rotation.Form
  private let isPaired: Bool
  private let type: DataType?

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(3...3)
    let names = Rotation.Form.allCases.map(\.rawValue)
    let name = try node.word("form", in: names, default: names[0])
    form = Rotation.Form(rawValue: name) ?? .pairs
    isPaired = try node.flag("paired_input", default: false)
    type = try node.resultType()
  }

  var overwritableOperands: [Int] { [0] }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let x = try inputs.tensorType(0)
    guard let shape = x.shape, isPaired, shape.count > 1 else {
      return [ValueFact(type ?? x.dataType, x.shape)]
    }
    return [ValueFact(type ?? x.dataType, shape.dropLast(2) + [shape[shape.count - 2] * 2])]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    var x = try inputs.tensor(0)
    if isPaired {
      let shape = x.shape.dimensions
      x = try x.reshaped(
        to: .checked(shape.dropLast(2) + [2 * shape[shape.count - 2]]), context)
    }
    let (cosines, sines) = (try inputs.tensor(1), try inputs.tensor(2))
    let result = try context.result(type ?? x.dataType, x.shape) { (output) throws(KernelError) in
      try Rotation.rotate(x, cosines: cosines, sines: sines, form: form, into: output)
    }
    return [.tensor(result)]
  }
}
