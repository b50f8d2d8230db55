import GraphIR
import Kernels
import Tensors

/// [RotaryEmbedding](https://onnx.ai/onnx/operators/onnx__RotaryEmbedding.html): pairs of elements of
/// each head turned by angles whose cosines and sines are given
/// (https://arxiv.org/abs/2104.09864).
///
/// The operand is [batch, heads, length, size] or, with `num_heads`, [batch, length, heads · size];
/// pairs are neighbours when `interleaved`, else half a head apart. Halves are computed in float32.
struct RotaryEmbedding: Operator {
  static let key: OpKey = "RotaryEmbedding"
  static let versions = 23...24

  private let isInterleaved: Bool
  private let turnedCount: Int
  private let heads: Int?

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(3...4)
    isInterleaved = try node.flag("interleaved", default: false)
    turnedCount = try node.int("rotary_embedding_dim", default: 0)
    let count = try node.int("num_heads", default: 0)
    guard turnedCount >= 0, turnedCount % 2 == 0, count >= 0 else {
      throw .badOperands("'rotary_embedding_dim' is \(turnedCount), 'num_heads' is \(count)")
    }
    heads = count == 0 ? nil : count
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let dataType = try inputs.sharedDataType(.floatingPoint, of: 0...2)
    try ElementTypes.integers.require(try inputs.optionalTensorType(3)?.dataType, operand: 3)
    let shape = try inputs.tensorType(0).shape
    if let shape { _ = try headSize(shape) }
    return [ValueFact(dataType, shape)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let x = try inputs.tensor(0)
    let size = try headSize([Dimension](x.shape)).value ?? 0
    let turned = turnedCount == 0 ? size : turnedCount
    guard turned <= size, turned % 2 == 0 else {
      throw .badOperands("\(turned) elements of a head of \(size) cannot be turned in pairs")
    }
    let type: DataType = x.dataType == .float64 ? .float64 : .float32
    let result = try context.makeTensor(type, x.shape)
    let source = try byHead(x.cast(to: type, context).contiguous(), size)
    let target = try byHead(result, size)
    let cosines = try angles(try inputs.tensor(1), inputs, source, turned / 2, type, context)
    let sines = try angles(try inputs.tensor(2), inputs, source, turned / 2, type, context)
    let (a, b) = halves(source, turned)
    let (c, d) = halves(target, turned)
    Copying.copy(source, into: target)
    try turn(a, cosines, .subtract, b, sines, into: c, context)
    try turn(b, cosines, .add, a, sines, into: d, context)
    return [.tensor(try result.cast(to: x.dataType, context))]
  }

  /// `target = a · cosines ± b · sines`.
  private func turn(
    _ a: Tensor, _ cosines: Tensor, _ operation: BinaryOperation, _ b: Tensor, _ sines: Tensor,
    into target: Tensor, _ context: any RunContext
  ) throws(OperatorError) {
    let product = try context.tensor(a.dataType, a.shape) { (output) throws(KernelError) in
      try Elementwise.binary(.multiply, b, sines, into: output)
    }
    let sum = try context.tensor(a.dataType, a.shape) { (output) throws(KernelError) in
      try Elementwise.binary(.multiply, a, cosines, into: output)
      try Elementwise.binary(operation, output, product, into: output)
    }
    Copying.copy(sum, into: target)
  }

  private func halves(_ heads: Tensor, _ turned: Int) -> (Tensor, Tensor) {
    let (half, step) = (turned / 2, isInterleaved ? 2 : 1)
    let second = half == 0 ? 0 : isInterleaved ? 1 : half
    return (
      heads.sliced(axis: 3, first: 0, count: half, step: step),
      heads.sliced(axis: 3, first: second, count: half, step: step)
    )
  }

  /// The table as [batch, length, 1, pairs].
  private func angles(
    _ table: Tensor, _ inputs: [RuntimeValue?], _ heads: Tensor, _ pairs: Int, _ type: DataType,
    _ context: any RunContext
  ) throws(OperatorError) -> Tensor {
    let (batch, length) = (heads.shape[0], heads.shape[1])
    var rows = try table.cast(to: type, context).contiguous()
    if let ids = try inputs.optionalTensor(3) {
      guard rows.rank == 2, ids.elementCount == batch * length else {
        throw .badOperands("positions of shape \(ids.shape) do not fit a table of \(rows.shape)")
      }
      let positions = try Indices.read(ids, size: rows.shape[0])
      let source = rows
      rows = try context.tensor(type, try .checked([batch, length, rows.shape[1]])) {
        (output) throws(KernelError) in
        try Indexing.gather(
          source, axis: 0, positions,
          into: output.view(
            shape: Self.matrix(output), strides: [output.shape[2], 1]))
      }
    }
    guard rows.rank == 3, rows.shape[2] == pairs, rows.shape[1] == length,
      rows.shape[0] == batch || rows.shape[0] == 1
    else { throw .badOperands("a table of shape \(table.shape) does not fit \(pairs) pairs") }
    let step = rows.shape[0] == 1 ? 0 : rows.strides[0]
    return rows.view(
      shape: try .checked([batch, length, 1, pairs]), strides: [step, rows.strides[1], 0, 1])
  }

  private static func matrix(_ rows: Tensor) -> Shape {
    (try? Shape([rows.shape[0] * rows.shape[1], rows.shape[2]])) ?? rows.shape
  }

  /// [batch, length, heads, size], whatever the order in the operand.
  private func byHead(_ x: Tensor, _ size: Int) throws(OperatorError) -> Tensor {
    if x.rank == 4 { return x.transposed([0, 2, 1, 3]) }
    let count = x.shape[2] / max(1, size)
    return x.view(
      shape: try .checked([x.shape[0], x.shape[1], count, size]),
      strides: [x.strides[0], x.strides[1], size * x.strides[2], x.strides[2]])
  }

  private func headSize(_ shape: [Dimension]) throws(OperatorError) -> Dimension {
    if shape.count == 4 { return shape[3] }
    guard shape.count == 3, let heads, (shape[2].value ?? 0) % heads == 0,
      let size = shape[2].floorDivided(by: Dimension(heads))
    else { throw .badOperands("an operand of shape \(shape) has no heads") }
    return size
  }
}
