public import GraphIR
public import Operators
import Synchronization
public import Tensors
import TypeInference

/// Runs one model.
///
/// Weights are read when first needed and shared by all runs; plans are kept per input shapes. An
/// engine may be used from several threads at once.
public final class Engine: Sendable {
  /// How many plans are kept; the one that was not used for the longest time goes first.
  public static let maximumPlans = 8

  /// Bytes that constants computed while planning may take, for each plan.
  public static let maximumFoldedByteCount = 256 << 20

  /// What a caller feeds, in the model's order.
  public let inputs: [Port]

  /// What a run returns, in the model's order.
  public let outputs: [Port]

  private let program: Program
  private let operators: OperatorTable
  private let options: EngineOptions
  private let pool: BufferPool
  private let plans = Mutex<[(key: [ValueType], plan: Plan)]>([])

  /// An engine for a graph, with or without facts.
  ///
  /// Throws `GraphError` for a graph that breaks its rules, `UnsupportedOperators` with everything
  /// that cannot run, or `InterpreterError`.
  public init(
    _ graph: Graph, options: EngineOptions = EngineOptions(),
    operators: OperatorTable = .standard
  ) throws {
    try graph.verify()
    if let place = graph.cacheNodePlace() {
      throw InterpreterError(
        "cache-node-not-lowered", at: place, "a cache node reached the interpreter",
        category: .internalFault)
    }
    try operators.requireSupport(of: graph)
    do throws(OperatorError) {
      program = try Program(graph, operators: operators)
    } catch {
      throw InterpreterError(error)
    }
    self.operators = operators
    self.options = options
    pool = BufferPool(limit: options.memoryByteCount)
    inputs = graph.inputs.map { Port(input: $0, of: graph) }
    outputs = graph.outputs.map { Port(output: $0, of: graph) }
  }

  /// Memory of results, now and at most; weights are not counted.
  public var memory: MemoryStatistics { pool.statistics }

  /// Runs the model on named tensors and returns its outputs by name.
  ///
  /// An input with a default may be left out. A feed that nobody else holds is freed as soon as
  /// the model has read it, so pass state with `consume`. A returned tensor may be a view, and may
  /// share memory with a feed or a weight: it is not to be written to.
  public func run(
    _ inputs: consuming [Name: Tensor], trace: TraceSink? = nil
  ) throws(InterpreterError) -> [Name: Tensor] {
    let values = try Feeds(program.graph).ordered(inputs)
    let results = try run(ordered: values, trace: trace)
    var named: [Name: Tensor] = [:]
    for (port, result) in zip(outputs, results) {
      guard case .tensor(let tensor) = result else {
        throw InterpreterError(
          "not-a-tensor", at: "output '\(port.name)'", "the output is \(result.typeText)",
          category: .unsupported)
      }
      named[port.name] = tensor
    }
    return named
  }

  /// Runs the model on values of any kind, by input; the outputs come in the model's order.
  package func run(
    _ inputs: consuming [ValueID: RuntimeValue], trace: TraceSink? = nil
  ) throws(InterpreterError) -> [RuntimeValue] {
    var values: [RuntimeValue?] = []
    for input in program.graph.inputs { values.append(inputs.removeValue(forKey: input)) }
    if let unknown = inputs.keys.min() {
      throw InterpreterError(
        "unknown-input", at: "value \(unknown.index)", "the value is not an input of the model")
    }
    return try run(ordered: values, trace: trace)
  }

  /// The plan for inputs of certain shapes; those left out have their default's.
  ///
  /// Weights are read and constants computed here, if that did not happen before.
  public func plan(for shapes: [Name: Shape]) throws(InterpreterError) -> Plan {
    var types: [ValueType] = []
    for port in inputs {
      if let shape = shapes[port.name] {
        types.append(.tensor(port.type.tensor?.dataType, shape.dimensions.map { Dimension($0) }))
      } else if let stored = program.graph.value(named: port.name)
        .flatMap({ program.graph.initializers[$0] })
      {
        types.append(.tensor(stored.type))
      } else if port.type.tensor?.concreteShape != nil {
        types.append(port.type)
      } else {
        throw InterpreterError(
          "missing-input", at: "input '\(port.name)'", "a shape is needed for \(port.type)")
      }
    }
    return try plan(for: types)
  }

  private func run(
    ordered values: consuming [RuntimeValue?], trace: TraceSink?
  ) throws(InterpreterError) -> [RuntimeValue] {
    try Feeds(program.graph).check(values)
    do throws(OperatorError) {
      for (position, input) in program.graph.inputs.enumerated() where values[position] == nil {
        values[position] = try program.constant(input).map { .tensor($0) }
      }
    } catch {
      throw InterpreterError(error)
    }
    let plan = try plan(for: values.map { $0?.actualType ?? .unknown })
    options.apply()
    do throws(OperatorError) {
      return try Execution(pool: pool, trace: trace).run(plan, inputs: values)
    } catch {
      throw InterpreterError(error)
    }
  }

  private func plan(for types: [ValueType]) throws(InterpreterError) -> Plan {
    let result = plans.withLock { plans -> Result<Plan, InterpreterError> in
      if let position = plans.firstIndex(where: { $0.key == types }) {
        let entry = plans.remove(at: position)
        plans.append(entry)
        return .success(entry.plan)
      }
      do throws(OperatorError) {
        let plan = try compile(types)
        if plans.count == Self.maximumPlans { plans.removeFirst() }
        plans.append((types, plan))
        pool.trim()
        return .success(plan)
      } catch {
        return .failure(InterpreterError(error))
      }
    }
    return try result.get()
  }

  private func compile(_ types: [ValueType]) throws(OperatorError) -> Plan {
    options.apply()
    var arguments: [ValueID: ValueFact] = [:]
    for (input, type) in zip(program.graph.inputs, types) { arguments[input] = ValueFact(type) }
    var program = program
    var facts = try FactInference.facts(
      of: program.graph, arguments: arguments, source: program, options: .init(.strict))
    var fusions = Fusions(precision: options.matrixPrecision, operators: operators)
    if options.fusesOperators {
      let graph = try fusions.run(on: program.graph, facts)
      program = try Program(
        graph, operators: operators.adding(OperatorTable.fusedTypes), original: program,
        facts: facts)
      facts = try FactInference.facts(
        of: graph, arguments: arguments, source: program, options: .init(.strict))
    }
    return try PlanCompiler.plan(
      program, facts: facts,
      settings: .init(
        checksResultTypes: options.checksResultTypes,
        budget: FoldingBudget(
          remaining: min(Self.maximumFoldedByteCount, options.memoryByteCount),
          resultByteCount: options.memoryByteCount), fusions: fusions.reports))
  }
}

extension Graph {
  /// The first cache node, in this graph or one inside it.
  fileprivate func cacheNodePlace() -> String? {
    var place: String?
    forEachGraph { graph in
      for id in graph.order where place == nil && graph[id].cache != nil {
        place = graph.label(of: id)
      }
    }
    return place
  }
}
