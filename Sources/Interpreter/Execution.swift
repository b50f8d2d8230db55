import GraphIR
import Operators
import Tensors
import TypeInference

/// The values of one plan while it runs; a slot is emptied when nobody reads it any more.
private final class Frame {
  var slots: [RuntimeValue?]

  init(_ plan: Plan) {
    slots = [RuntimeValue?](repeating: nil, count: plan.slotCount)
  }

  /// The first operand whose memory the result of a step may take over.
  func overwritable(_ step: Step) -> Tensor? {
    for (_, slot) in step.overwritten {
      guard case .tensor(var tensor)? = slots[slot].take() else { continue }
      let isSole = tensor.ownsOverwritableMemory()
      slots[slot] = .tensor(tensor)
      if isSole { return tensor }
    }
    return nil
  }
}

/// One run of a plan and of the branches it takes.
final class Execution: RunContext {
  private let pool: BufferPool
  private let trace: TraceSink?
  private var frame: Frame?
  private var step: Step?
  /// An operand that nobody reads after the step and that nobody else looks into.
  private var spare: Tensor?

  init(pool: BufferPool, trace: TraceSink?) {
    self.pool = pool
    self.trace = trace
  }

  /// Runs a plan on values for its inputs, in order; they are released when last read.
  func run(
    _ plan: Plan, inputs: consuming [RuntimeValue?]
  ) throws(OperatorError) -> [RuntimeValue] {
    let frame = Frame(plan)
    for (slot, value) in zip(plan.inputs, inputs) where slot >= 0 {
      frame.slots[Int(slot)] = value
    }
    inputs = []
    return try run(plan, in: frame)
  }

  private func run(_ plan: Plan, in frame: Frame) throws(OperatorError) -> [RuntimeValue] {
    let enclosing = (self.frame, step)
    self.frame = frame
    defer { (self.frame, step) = enclosing }
    for step in plan.steps {
      self.step = step
      try run(step, of: plan, in: frame)
    }
    var outputs: [RuntimeValue] = []
    outputs.reserveCapacity(plan.outputs.count)
    for operand in plan.outputs {
      outputs.append(plan.value(operand, in: frame.slots) ?? .absent)
    }
    return outputs
  }

  private func run(_ step: Step, of plan: Plan, in frame: Frame) throws(OperatorError) {
    spare = frame.overwritable(step)
    defer { spare = nil }
    let operands = step.inputs.map { plan.value($0, in: frame.slots) }
    let results: [RuntimeValue]
    do throws(OperatorError) {
      if step.isOpen { try checkTypes(of: operands, for: step) }
      let start = trace?.now()
      results = try step.operator.run(operands, self)
      if let trace, let start { trace.record(step, operands, results, since: start) }
      try checkResults(results, of: step)
    } catch {
      throw error.at(step.label, given: operands.map { $0?.typeText })
    }
    for (position, slot) in step.outputs.enumerated() where slot >= 0 {
      guard position < results.count else {
        throw OperatorError(
          "missing-result", "the operator gave \(results.count) results, the node has more"
        ).at(step.label)
      }
      frame.slots[Int(slot)] = results[position]
    }
    for slot in step.releases { frame.slots[Int(slot)] = nil }
  }
}

// MARK: - What operators ask for

extension Execution {
  func makeTensor(_ dataType: DataType, _ shape: Shape) throws(OperatorError) -> Tensor {
    let byteCount: Int
    do throws(ArithmeticOverflow) {
      byteCount = try Checked.product(shape.elementCount, dataType.byteCount)
    } catch {
      throw .overflow(error)
    }
    return Tensor(
      dataType: dataType, shape: shape, strides: shape.rowMajorStrides, offset: 0,
      storage: try pool.makeStorage(byteCount: byteCount))
  }

  func makeResult(
    _ dataType: DataType, _ shape: Shape, order: [Int]?
  ) throws(OperatorError) -> Tensor {
    if let placement = step?.placement, let frame, placement.layout.dataType == dataType,
      placement.layout.shape == shape
    {
      let layout = placement.layout
      return try whole(of: placement, in: frame).view(
        shape: shape, strides: layout.strides, offset: layout.offset)
    }
    guard order == nil, let own = spare.take(), own.dataType == dataType,
      own.elementCount == shape.elementCount
    else { return try makeTensor(dataType, shape, order: order) }
    return own.view(shape: shape, strides: shape.rowMajorStrides)
  }

  /// The tensor that results of several steps become together.
  private func whole(of placement: Placement, in frame: Frame) throws(OperatorError) -> Tensor {
    if case .tensor(let tensor)? = frame.slots[Int(placement.slot)] { return tensor }
    let tensor = try makeTensor(placement.layout.dataType, placement.wholeShape)
    frame.slots[Int(placement.slot)] = .tensor(tensor)
    return tensor
  }

  func run(
    subgraph attribute: String, arguments: [RuntimeValue]
  ) throws(OperatorError) -> [RuntimeValue] {
    guard let step, let outer = frame,
      let branch = step.branches.first(where: { $0.attribute == attribute })
    else {
      throw .badOperands("attribute '\(attribute)' is not a graph")
    }
    let plan = try branch.plan.get()
    guard arguments.count == plan.inputs.count else {
      throw .badOperands(
        "the graph '\(attribute)' has \(plan.inputs.count) inputs, \(arguments.count) are given")
    }
    let inner = Frame(plan)
    for (slot, value) in zip(plan.inputs, arguments) where slot >= 0 {
      inner.slots[Int(slot)] = value
    }
    for (slot, operand) in zip(plan.captures, branch.captures) where slot >= 0 {
      inner.slots[Int(slot)] = operand.slot.flatMap { outer.slots[$0] }
    }
    if step.op == "If" {
      for slot in step.releases { outer.slots[Int(slot)] = nil }
    }
    return try run(plan, in: inner)
  }
}

// MARK: - Checks

extension Execution {
  /// Asks the typing rule about actual operands whose types were not known while planning.
  private func checkTypes(
    of operands: [RuntimeValue?], for step: Step
  ) throws(OperatorError) {
    _ = try step.operator.infer(operands.map { $0.map(ValueFact.init(actual:)) }, NoSubgraphs())
  }

  private func checkResults(_ results: [RuntimeValue], of step: Step) throws(OperatorError) {
    for case .tensor(let tensor) in results where tensor.byteCount > pool.limit {
      throw .tooLarge(tensor.byteCount, limit: pool.limit)
    }
    for (type, result) in zip(step.expected, results) {
      guard case .tensor(let tensor) = result, let expected = type.tensor else { continue }
      let sizes = expected.shape?.map(\.value) ?? tensor.shape.dimensions.map { $0 }
      let fits =
        sizes.count == tensor.rank
        && zip(sizes, tensor.shape.dimensions).allSatisfy { $0 == nil || $0 == $1 }
      guard fits, expected.dataType == nil || expected.dataType == tensor.dataType else {
        throw OperatorError(
          "wrong-inference", "the result is \(result.typeText), \(type) was inferred",
          category: .internalFault)
      }
    }
  }

  private struct NoSubgraphs: InferenceContext {
    func infer(
      subgraph attribute: String, arguments: [ValueFact]
    ) throws(OperatorError) -> [ValueFact] {
      arguments
    }

    func makeSymbol() -> Dimension { Dimension(symbol: "data") }
  }
}

extension ValueFact {
  /// The fact of a value that is there; small tensors with their contents.
  fileprivate init(actual value: RuntimeValue) {
    if case .tensor(let tensor) = value, tensor.elementCount <= Self.maximumElements {
      self.init(constant: tensor)
    } else {
      self.init(value.actualType)
    }
  }
}

extension Plan {
  func value(_ operand: Operand, in slots: [RuntimeValue?]) -> RuntimeValue? {
    if let slot = operand.slot { return slots[slot] }
    return operand.constant.map { constants[$0] }
  }
}
