import GraphIR
import Kernels
import Tensors

/// [Unique](https://onnx.ai/onnx/operators/onnx__Unique.html): the different elements, or slices
/// along an axis, sorted or in the order they first appear in.
struct Unique: Operator {
  static let key: OpKey = "Unique"
  static let versions = 11...24

  private let axis: Int?
  private let isSorted: Bool
  private let resultCount: Int

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
    axis = try node.int("axis")
    isSorted = try node.flag("sorted", default: true)
    resultCount = max(1, node.outputCount)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let type = try inputs.tensorType(0)
    try ElementTypes.numbersOrBool.require(type.dataType, operand: 0)
    let count = context.makeSymbol()
    var shape: [Dimension]? = [count]
    var length = type.shape?.product ?? context.makeSymbol()
    if let axis {
      shape = type.shape
      length = context.makeSymbol()
      if let own = type.shape {
        let position = try Axes.normalize(axis, rank: own.count)
        shape?[position] = count
        length = own[position]
      }
    }
    let facts = [
      ValueFact(type.dataType, shape), ValueFact(.int64, [count]), ValueFact(.int64, [length]),
      ValueFact(.int64, [count]),
    ]
    return Array(facts.prefix(resultCount))
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let x = try inputs.tensor(0)
    let whole = axis == nil ? try x.reshaped(to: .checked([x.elementCount]), context) : x
    let axis = try Axes.normalize(axis ?? 0, rank: whole.rank)
    var order = Array(0..<whole.rank)
    order.insert(order.remove(at: axis), at: 0)
    let count = whole.shape[axis]
    let width = count == 0 ? 0 : whole.elementCount / count
    let rows = try whole.transposed(order).reshaped(to: .checked([count, width]), context)
    let ranks = try ranks(rows, context)
    var groups: [[Int]: Int] = [:]
    var members: [[Int]] = []
    for (row, key) in ranks.enumerated() {
      if let group = groups[key] {
        members[group].append(row)
      } else {
        groups[key] = members.count
        members.append([row])
      }
    }
    if isSorted { members.sort { ranks[$0[0]].lexicographicallyPrecedes(ranks[$1[0]]) } }
    var inverse = [Int64](repeating: 0, count: count)
    for (group, rows) in members.enumerated() {
      for row in rows { inverse[row] = Int64(group) }
    }
    let places = members.map { $0[0] }
    var dimensions = whole.shape.dimensions
    dimensions[axis] = places.count
    let values = try context.tensor(x.dataType, .checked(dimensions)) {
      (output) throws(KernelError) in
      try Indexing.gather(whole, axis: axis, places, into: output)
    }
    let results = [
      values, Tensor(places.map { Int64($0) }), Tensor(inverse),
      Tensor(members.map { Int64($0.count) }),
    ]
    return results.prefix(resultCount).map { .tensor($0) }
  }

  /// For each row, the ranks of its elements among all, so that rows compare as their elements do.
  private func ranks(_ rows: Tensor, _ context: any RunContext) throws(OperatorError) -> [[Int]] {
    let flat = try rows.reshaped(to: .checked([rows.elementCount]), context)
    let order = try OperatorError.translating { () throws(KernelError) in
      try Sorting.order(flat, count: flat.elementCount, isDescending: false)
    }
    var ranks = [Int](repeating: 0, count: order.count)
    if order.count > 1 {
      let sorted = try context.tensor(flat.dataType, flat.shape) { (output) throws(KernelError) in
        try Indexing.gather(flat, axis: 0, order, into: output)
      }
      let isEqual = try context.tensor(.bool, .checked([order.count - 1])) {
        (output) throws(KernelError) in
        try Elementwise.compare(
          .equal, sorted.sliced(axis: 0, first: 0, count: order.count - 1),
          sorted.sliced(axis: 0, first: 1, count: order.count - 1), into: output)
      }
      var rank = 0
      for (position, same) in isEqual.elements(as: Bool.self).enumerated() {
        if !same { rank += 1 }
        ranks[order[position + 1]] = rank
      }
    }
    let width = rows.shape[1]
    return (0..<rows.shape[0]).map { Array(ranks[$0 * width..<($0 + 1) * width]) }
  }
}
