import GraphIR
import ScheduleLanguage
import Tensors

/// Groups of tokens.
extension ExpressionLowering {
  /// The number of the cluster of each token, by so many rounds of Lloyd's algorithm.
  ///
  /// Centres begin as the tokens ⌊i · N / K⌋; of equal distances the lower number wins, and an empty
  /// cluster keeps its centre.
  func clusters(
    of operand: Operand, _ count: Int, rounds: Int, in scope: GraphScope
  ) -> Operand {
    let steps = ClusterSteps(operand, count, scope)
    var centres = steps.firstCentres()
    var labels = steps.nearest(centres)
    for _ in 0..<rounds {
      centres = steps.means(of: labels, or: centres)
      labels = steps.nearest(centres)
    }
    return Operand(value: labels, kind: .tensor, type: steps.labelType)
  }

  /// The token of the largest score in each cluster; token 0 for a cluster without any.
  func representatives(
    of labels: Operand, _ count: Int, scores: Operand, in scope: GraphScope
  ) -> Operand {
    let steps = ClusterSteps(labels, count, scope)
    let lowest = scope.graph.constant([-Float.infinity], shape: .scalar)
    let own = scope.emit(
      "Where", [steps.members(of: labels.value), scores.value, lowest],
      .tensor(steps.type(.float32, steps.memberShape)))
    var shape = steps.memberShape
    if let rank = shape?.count { shape?[rank - 2] = 1 }
    let best = scope.emit(
      "ArgMax", [own], [Attribute("axis", .int(-2))], .tensor(steps.type(.int64, shape)))
    if let rank = shape?.count { shape?.swapAt(rank - 1, rank - 2) }
    let type = steps.type(.int64, shape)
    return Operand(value: steps.transposed(best, type), kind: .tensor, type: type)
  }
}

/// One round of k-means on the rows of a tensor (…, N, C).
private struct ClusterSteps {
  let value: ValueID
  let shape: [Dimension]?
  let count: Int
  let scope: GraphScope

  init(_ operand: Operand, _ count: Int, _ scope: GraphScope) {
    value = operand.value
    shape = operand.type.shape
    self.count = count
    self.scope = scope
  }

  func type(_ dataType: DataType, _ shape: [Dimension]?) -> TensorType {
    TensorType(dataType, shape)
  }

  var labelType: TensorType { type(.int64, shape.map { $0.dropLast() + [1] }) }
  /// The shape (…, N, K).
  var memberShape: [Dimension]? { shape.map { $0.dropLast() + [Dimension(count)] } }
  /// The shape (…, K, C).
  private var centreShape: [Dimension]? {
    shape.map { $0.dropLast(2) + [Dimension(count), $0[$0.count - 1]] }
  }

  private func scalar(_ number: Int) -> ValueID {
    scope.graph.constant([Int64(number)], shape: .scalar)
  }

  private func axes(_ axis: Int) -> ValueID {
    scope.graph.constant([Int64(axis)], shape: .vector(1))
  }

  func transposed(_ value: ValueID, _ type: TensorType) -> ValueID {
    let rank = shape?.count ?? 2
    var order = Array(0..<rank)
    order.swapAt(rank - 1, rank - 2)
    return scope.emit("Transpose", [value], [Attribute("perm", .ints(order))], .tensor(type))
  }

  func firstCentres() -> ValueID {
    let line: ValueType = .tensor(.int64, [Dimension(count)])
    let sizes = scope.emit(
      "Shape", [value], .tensor(.int64, shape.map { [Dimension($0.count)] }))
    let tokens = scope.emit(
      "Gather", [sizes, scalar((shape?.count ?? 2) - 2)], .tensor(.int64, []))
    let numbers = scope.graph.constant((0..<count).map(Int64.init), shape: .vector(count))
    let products = scope.emit("Mul", [numbers, tokens], line)
    let places = scope.emit("Div", [products, scalar(count)], line)
    return scope.emit(
      "Gather", [value, places], [Attribute("axis", .int((shape?.count ?? 2) - 2))],
      .tensor(type(.float32, centreShape)))
  }

  /// The number of the centre c with the least |c|² − 2 x·c.
  func nearest(_ centres: ValueID) -> ValueID {
    let centreType = type(.float32, centreShape)
    let squares = scope.emit("Mul", [centres, centres], .tensor(centreType))
    let column = type(.float32, centreShape.map { $0.dropLast() + [1] })
    let lengths = scope.emit("ReduceSum", [squares, axes(-1)], .tensor(column))
    let row = type(.float32, centreShape.map { $0.dropLast(2) + [1, Dimension(count)] })
    let flipped = transposed(
      centres,
      type(.float32, centreShape.map { $0.dropLast(2) + [$0[$0.count - 1], $0[$0.count - 2]] }))
    let members = type(.float32, memberShape)
    let products = scope.emit("MatMul", [value, flipped], .tensor(members))
    let two = scope.graph.constant([Float(2)], shape: .scalar)
    let doubled = scope.emit("Mul", [products, two], .tensor(members))
    let distances = scope.emit("Sub", [transposed(lengths, row), doubled], .tensor(members))
    return scope.emit(
      "ArgMin", [distances], [Attribute("axis", .int(-1))], .tensor(labelType))
  }

  /// Whether each token is in each cluster.
  func members(of labels: ValueID) -> ValueID {
    let numbers = scope.graph.constant((0..<count).map(Int64.init), shape: .vector(count))
    return scope.emit("Equal", [labels, numbers], .tensor(type(.bool, memberShape)))
  }

  func means(of labels: ValueID, or centres: ValueID) -> ValueID {
    let centreType: ValueType = .tensor(type(.float32, centreShape))
    let own = scope.cast(members(of: labels), to: .float32)
    let turned = transposed(
      own,
      type(.float32, memberShape.map { $0.dropLast(2) + [$0[$0.count - 1], $0[$0.count - 2]] }))
    let column: ValueType = .tensor(
      type(.float32, centreShape.map { $0.dropLast() + [1] }))
    let counts = scope.emit("ReduceSum", [turned, axes(-1)], column)
    let sums = scope.emit("MatMul", [turned, value], centreType)
    let one = scope.graph.constant([Float(1)], shape: .scalar)
    let means = scope.emit(
      "Div", [sums, scope.emit("Max", [counts, one], column)], centreType)
    let zero = scope.graph.constant([Float(0)], shape: .scalar)
    let isFilled = scope.emit(
      "Greater", [counts, zero], .tensor(type(.bool, centreShape.map { $0.dropLast() + [1] })))
    return scope.emit("Where", [isFilled, means, centres], centreType)
  }
}
