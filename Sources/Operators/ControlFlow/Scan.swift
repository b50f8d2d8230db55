import GraphIR
import Tensors

/// [Scan](https://onnx.ai/onnx/operators/onnx__Scan.html): a graph that runs once for each slice of
/// some operands, on those slices and on values it hands to itself; what else it yields is stacked.
///
/// Operator sets before 9 give the operator another meaning and are refused.
struct Scan: Operator {
  static let key: OpKey = "Scan"
  static let versions = 9...24

  private let carriedCount: Int
  private let scannedCount: Int
  private let inputAxes: [Int]
  private let outputAxes: [Int]
  private let inputIsReversed: [Bool]
  private let outputIsReversed: [Bool]
  private let stacked: [ValueType]

  init(_ node: inout NodeReader) throws(OperatorError) {
    guard let count = try node.int("num_scan_inputs"), count > 0, count <= node.inputCount else {
      throw .badOperands("'num_scan_inputs' is missing or does not fit the operands")
    }
    scannedCount = count
    carriedCount = node.inputCount - count
    let body = try node.graph("body").graph
    let stackedCount = node.outputCount - carriedCount
    guard body.inputs.count == node.inputCount, body.outputs.count == node.outputCount,
      stackedCount >= 0
    else {
      throw .badOperands(
        "a body with \(body.inputs.count) inputs and \(body.outputs.count) outputs does not fit "
          + "\(node.inputCount) operands and \(node.outputCount) results")
    }
    stacked = body.outputs[carriedCount...].map { body.type(of: $0) }
    inputAxes = try node.list("scan_input_axes", count: count)
    outputAxes = try node.list("scan_output_axes", count: stackedCount)
    inputIsReversed = try node.list("scan_input_directions", count: count).map { $0 != 0 }
    outputIsReversed = try node.list("scan_output_directions", count: stackedCount).map { $0 != 0 }
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    var carried: [ValueFact] = []
    for position in 0..<carriedCount {
      carried.append(ValueFact(try inputs.required(position).type))
    }
    var slices: [ValueFact] = []
    var length: Dimension?
    for position in 0..<scannedCount {
      let type = try inputs.tensorType(carriedCount + position)
      var shape = type.shape
      if let whole = type.shape {
        let axis = try Axes.normalize(inputAxes[position], rank: whole.count)
        shape?.remove(at: axis)
        if let known = length?.value, let own = whole[axis].value, known != own {
          throw .badOperands("operands have \(known) and \(own) slices")
        }
        length = length ?? whole[axis]
      }
      slices.append(ValueFact(type.dataType, shape))
    }
    let results = try CarriedFacts.settle(&carried, context) { (carried) throws(OperatorError) in
      try context.infer(subgraph: "body", arguments: carried + slices)
    }
    let size = length ?? context.makeSymbol()
    var facts = carried
    for (position, fact) in results[carriedCount...].enumerated() {
      var shape = fact.shape
      if let own = fact.shape {
        shape?.insert(size, at: try Axes.normalize(outputAxes[position], rank: own.count + 1))
      }
      facts.append(ValueFact(fact.dataType, shape))
    }
    return facts
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    var carried: [RuntimeValue] = []
    for position in 0..<carriedCount { carried.append(.tensor(try inputs.tensor(position))) }
    var scanned: [(tensor: Tensor, axis: Int)] = []
    for position in 0..<scannedCount {
      let tensor = try inputs.tensor(carriedCount + position)
      scanned.append((tensor, try Axes.normalize(inputAxes[position], rank: tensor.rank)))
    }
    let length = scanned[0].tensor.shape[scanned[0].axis]
    guard scanned.allSatisfy({ $0.tensor.shape[$0.axis] == length }) else {
      throw .badOperands("the operands have different numbers of slices")
    }
    var results = [[Tensor]](repeating: [], count: stacked.count)
    for trip in 0..<length {
      var slices: [RuntimeValue] = []
      for (position, part) in scanned.enumerated() {
        let index = inputIsReversed[position] ? length - 1 - trip : trip
        slices.append(.tensor(try part.tensor.slice(axis: part.axis, at: index)))
      }
      let yielded = try context.run(subgraph: "body", arguments: carried + slices)
      carried = Array(yielded[..<carriedCount])
      for position in stacked.indices {
        results[position].append(try yielded[carriedCount + position].tensor())
      }
    }
    for (position, parts) in results.enumerated() {
      carried.append(
        .tensor(
          try Stacking.stack(
            outputIsReversed[position] ? parts.reversed() : parts, like: stacked[position],
            axis: outputAxes[position], context)))
    }
    return carried
  }

  /// Unknown: the body is counted where it stands.
  func flops(inputs: [ValueFact?], outputs: [ValueFact]) -> Int? { nil }
}

extension NodeReader {
  /// Integers, one for each of `count` things; zeros when the attribute is absent.
  fileprivate mutating func list(_ name: String, count: Int) throws(OperatorError) -> [Int] {
    let numbers = try ints(name) ?? [Int](repeating: 0, count: count)
    guard numbers.count == count else {
      throw .badOperands("attribute '\(name)' has \(numbers.count) elements, not \(count)")
    }
    return numbers
  }
}
