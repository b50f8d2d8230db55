import GraphIR
import Kernels
import Tensors

/// [Trilu](https://onnx.ai/onnx/operators/onnx__Trilu.html): the upper or lower triangle of each
/// matrix, zeros elsewhere.
struct Trilu: Operator {
  static let key: OpKey = "Trilu"
  static let versions = 14...24

  private let keepsUpper: Bool

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...2)
    keepsUpper = try node.flag("upper", default: true)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let data = try inputs.required(0)
    if let shape = data.shape { try requireMatrix(rank: shape.count) }
    return [ValueFact(.tensor(data.dataType, data.shape))]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let data = try inputs.tensor(0)
    try requireMatrix(rank: data.rank)
    let diagonal = try inputs.integers(1)?.first ?? 0
    let result = try context.makeTensor(data.dataType, data.shape)
    Copying.clear(result)
    let columns = data.shape[data.rank - 1]
    for row in 0..<data.shape[data.rank - 2] {
      // Column `row + diagonal` is the last of the lower triangle and the first of the upper.
      let (border, overflow) = row.addingReportingOverflow(diagonal)
      guard !overflow else { throw .badOperands("the diagonal \(diagonal) is out of range") }
      let first = keepsUpper ? min(max(border, 0), columns) : 0
      let past = keepsUpper ? columns : min(max(border, -1), columns - 1) + 1
      guard first < past else { continue }
      Copying.copy(
        part(of: data, row: row, first..<past), into: part(of: result, row: row, first..<past))
    }
    return [.tensor(result)]
  }

  private func part(of tensor: Tensor, row: Int, _ columns: Range<Int>) -> Tensor {
    tensor.sliced(axis: tensor.rank - 2, first: row, count: 1)
      .sliced(axis: tensor.rank - 1, first: columns.lowerBound, count: columns.count)
  }

  private func requireMatrix(rank: Int) throws(OperatorError) {
    guard rank >= 2 else { throw .badOperands("a tensor of rank \(rank) holds no matrix") }
  }
}
