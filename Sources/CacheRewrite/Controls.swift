import CacheContract
import GraphIR
import ScheduleLanguage
import Tensors

/// The inputs by which a host steers a cached graph, as scalars.
///
/// Only those are declared that a rule reads; all of it costs a few scalar operators.
struct Controls {
  private(set) var names: [String] = []
  /// What the host forces, one number a site.
  private(set) var override: ValueID?
  private var values: [Expression.Control: ValueID] = [:]
  private var parameters: [String: ValueID] = [:]
  private let convention: StateConvention
  private let steps: Int
  /// The axis to squeeze: [0].
  let axes: ValueID

  init(_ plan: CachePlan, convention: StateConvention, in graph: inout Graph) {
    self.convention = convention
    steps = plan.schedule.steps
    axes = graph.constant([Int64(0)], shape: .vector(1), name: "ditcache/constant/axes")
    let used = plan.schedule.rules.reduce(into: Set<Expression.Control>()) { used, rule in
      for expression in rule.rule.expressions { used.formUnion(expression.controls) }
    }
    declareStep(in: &graph)
    if used.contains(.steps) { declare(.steps, ContractNames.steps, Int64(steps), in: &graph) }
    if used.contains(.branch) { declare(.branch, ContractNames.branch, 0, in: &graph) }
    declareOverride(sites: plan.sites.count, in: &graph)
    if used.contains(.sigma) || used.contains(.nextSigma) { declareSigmas(in: &graph) }
    if let timestep = plan.taps.timestep { declareTimestep(timestep, in: &graph) }
    for parameter in plan.schedule.schedule.parameters {
      let name = ContractNames.parameter(parameter.name)
      let input = graph.addInput(Name(name), type: .tensor(.float32, [1]))
      if convention == .optional {
        graph.setInitializer(StoredTensor(Tensor([Float(parameter.defaultValue)])), of: input)
      }
      parameters[parameter.name] = squeezed(input, "\(name)/scalar", .float32, in: &graph)
    }
  }

  /// The scalar of a control, in the main graph.
  subscript(control: Expression.Control) -> ValueID? { values[control] }

  /// The scalar of a parameter, in the main graph.
  func parameter(_ name: String) -> ValueID? { parameters[name] }

  private mutating func declareOverride(sites count: Int, in graph: inout Graph) {
    let input = graph.addInput(
      Name(ContractNames.override), type: .tensor(.int64, [Dimension(count)]))
    if convention == .optional {
      graph.setInitializer(
        StoredTensor(Tensor([Int64](repeating: 0, count: count))), of: input)
    }
    names.append(ContractNames.override)
    override = input
  }

  private mutating func declareStep(in graph: inout Graph) {
    let zero = graph.constant([Int64(0)], shape: .scalar, name: "ditcache/constant/zero")
    let last = graph.constant(
      [Int64(steps - 1)], shape: .scalar, name: "ditcache/constant/last_step")
    declare(.step, ContractNames.step, 0, in: &graph)
    guard let step = values[.step] else { return }
    let lower = graph.emit(
      "Max", [step, zero], name: "ditcache/step/from_zero", type: .tensor(.int64, []))
    values[.step] = graph.emit(
      "Min", [lower, last], name: "ditcache/step/clipped", type: .tensor(.int64, []))
  }

  private mutating func declare(
    _ control: Expression.Control, _ name: String, _ value: Int64, in graph: inout Graph
  ) {
    let input = graph.addInput(Name(name), type: .tensor(.int64, [1]))
    if convention == .optional {
      graph.setInitializer(StoredTensor(Tensor([value])), of: input)
    }
    names.append(name)
    values[control] = squeezed(input, "\(name)/scalar", .int64, in: &graph)
  }

  private mutating func declareSigmas(in graph: inout Graph) {
    let input = graph.addInput(Name(ContractNames.sigmas), type: .tensor(.float32, [2]))
    if convention == .optional {
      graph.setInitializer(StoredTensor(Tensor([Float(1), 0])), of: input)
    }
    names.append(ContractNames.sigmas)
    for (place, control) in [Expression.Control.sigma, .nextSigma].enumerated() {
      let index = graph.constant(
        [Int64(place)], shape: .scalar, name: Name("ditcache/constant/\(control.rawValue)"))
      values[control] = graph.emit(
        "Gather", [input, index], name: Name("ditcache/\(control.rawValue)"),
        type: .tensor(.float32, []))
    }
  }

  /// The timestep that the model itself gets; of several samples, the largest one.
  private mutating func declareTimestep(_ input: ValueID, in graph: inout Graph) {
    let shape = graph.tensorType(of: input)?.shape
    let number = graph.emit(
      "Cast", [input], [Attribute("to", .int(Int(DataType.float32.rawValue)))],
      name: "ditcache/timestep/number", type: .tensor(.float32, shape))
    values[.timestep] = graph.emit(
      "ReduceMax", [number], [Attribute("keepdims", .int(0))], name: "ditcache/timestep/scalar",
      type: .tensor(.float32, []))
  }

  private func squeezed(
    _ input: ValueID, _ name: String, _ dataType: DataType, in graph: inout Graph
  ) -> ValueID {
    graph.emit("Squeeze", [input, axes], name: Name(name), type: .tensor(dataType, []))
  }
}
