import GraphIR
import Operators
public import Rewrite
import Tensors

/// A graph made ready for inputs of certain shapes.
///
/// What does not depend on the inputs is computed, what nothing needs is gone, and every step
/// knows which values it reads last. Sizes that depend on data need not be known: operators
/// allocate their results when they run.
public final class Plan: Sendable {
  /// What planning found.
  public let statistics: PlanStatistics
  /// What each fusion did and declined, graphs inside nodes first.
  public let fusions: [PassReport]

  let inputs: [Int32]
  let captures: [Int32]
  let steps: [Step]
  let constants: [RuntimeValue]
  let outputs: [Operand]
  let slotCount: Int

  init(
    statistics: PlanStatistics, inputs: [Int32], captures: [Int32], steps: [Step],
    constants: [RuntimeValue], outputs: [Operand], slotCount: Int, fusions: [PassReport]
  ) {
    self.fusions = fusions
    self.statistics = statistics
    self.inputs = inputs
    self.captures = captures
    self.steps = steps
    self.constants = constants
    self.outputs = outputs
    self.slotCount = slotCount
  }
}

/// What planning found out about a graph and certain input shapes.
public struct PlanStatistics: Hashable, Sendable {
  /// Operators that run each time, those of branches not counted.
  public internal(set) var stepCount = 0
  /// Those of them whose operands' types are not known before they run.
  public internal(set) var openStepCount = 0
  /// Nodes computed once, while planning.
  public internal(set) var foldedNodeCount = 0
  /// Nodes that no output depends on.
  public internal(set) var removedNodeCount = 0
  /// Bytes of the constants that the steps read, weights included.
  public internal(set) var constantByteCount = 0
  /// Bytes that results will take at most, by the sizes known while planning; nil when some depend
  /// on data.
  public internal(set) var predictedPeakByteCount: Int?
  /// Floating-point operations of the steps, those of branches not counted; nil when some depend
  /// on data.
  public internal(set) var flops: Int? = 0
}

/// Where a step finds an operand: in a slot of the frame, among the plan's constants, or nowhere.
struct Operand: Sendable {
  private let code: Int32

  static let absent = Operand(code: -1)
  static func slot(_ index: Int32) -> Operand { Operand(code: index) }
  static func constant(_ index: Int) -> Operand {
    Operand(code: -2 - Int32(truncatingIfNeeded: index))
  }

  private init(code: Int32) {
    self.code = code
  }

  var slot: Int? { code >= 0 ? Int(code) : nil }
  var constant: Int? { code <= -2 ? Int(-2 - code) : nil }
}

/// One operator of a plan.
final class Step: Sendable {
  let `operator`: any Operator
  let op: OpKey
  let label: String
  let inputs: [Operand]
  /// Slots of the results; negative where nobody reads one.
  let outputs: [Int32]
  /// Slots that nobody reads after this step.
  let releases: [Int32]
  /// Where the result of a `PlacedOperator` goes; nil for memory of its own.
  let placement: Placement?
  /// Operands, and their slots, whose memory the result may take over if nobody else looks into it.
  let overwritten: [(position: Int, slot: Int)]
  /// True when a type was not known while planning, so that it is checked while running.
  let isOpen: Bool
  let branches: [Branch]
  let flops: Int?
  /// Types that the results must have; empty unless they are to be checked.
  let expected: [ValueType]

  init(
    operator: any Operator, op: OpKey, label: String, inputs: [Operand], outputs: [Int32],
    releases: [Int32], placement: Placement?, overwritten: [(position: Int, slot: Int)],
    isOpen: Bool, branches: [Branch], flops: Int?, expected: [ValueType]
  ) {
    self.operator = `operator`
    self.op = op
    self.label = label
    self.inputs = inputs
    self.outputs = outputs
    self.releases = releases
    self.placement = placement
    self.overwritten = overwritten
    self.isOpen = isOpen
    self.branches = branches
    self.flops = flops
    self.expected = expected
  }
}

/// A graph inside a step.
struct Branch: Sendable {
  let attribute: String
  /// The plan, or why the branch cannot run; that matters only when it is taken.
  let plan: Result<Plan, OperatorError>
  /// Where the enclosing plan keeps what the branch reads, parallel to `Plan.captures`.
  let captures: [Operand]
}
