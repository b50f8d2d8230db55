import GraphIR
import Operators
import Tensors

/// The inputs of a graph with the sizes that somebody fixed.
struct FixedInputs {
  /// Facts of each input.
  let arguments: [ValueID: ValueFact]

  /// The size of each symbol that is thereby known.
  let sizes: [String: Int]

  /// Reads `bindings` (by symbol, or by `input.axis`) and shapes of whole inputs.
  init(
    _ graph: Graph, bindings: [String: Int], inputShapes: [ValueID: Shape]
  ) throws(DimensionError) {
    var fixed: [ValueID: [Int: Int]] = [:]
    for (input, shape) in inputShapes {
      if let declared = graph.tensorType(of: input)?.shape, declared.count != shape.rank {
        throw DimensionError(
          "dimension-conflict", at: "input '\(graph.name(of: input))'",
          "the shape \(shape) has \(shape.rank) axes, the model requires \(declared.count)")
      }
      for (axis, size) in shape.dimensions.enumerated() { fixed[input, default: [:]][axis] = size }
    }
    let symbols = graph.inputSymbols
    var known: [String: Int] = [:]
    for (name, size) in bindings {
      guard size >= 0 else {
        throw DimensionError("dimension-conflict", at: name, "the size \(size) is negative")
      }
      if symbols.contains(name) {
        known[name] = size
      } else if let (input, axis) = Self.axis(named: name, in: graph) {
        fixed[input, default: [:]][axis] = size
      } else {
        throw DimensionError(
          "unknown-dimension", at: name, "the inputs have no such dimension",
          hint: symbols.isEmpty
            ? "the inputs have no symbolic dimensions"
            : "the symbols are \(symbols.sorted().joined(separator: ", ")); an axis is written "
              + "input.axis")
      }
    }
    var solver = SymbolBindings(known)
    try solver.bind(Self.constraints(graph, fixed))
    sizes = solver.sizes
    var arguments: [ValueID: ValueFact] = [:]
    for input in graph.inputs {
      guard case .tensor(let type) = graph.type(of: input) else { continue }
      var shape = type.shape ?? inputShapes[input]?.dimensions.map { Dimension($0) }
      for (axis, size) in fixed[input] ?? [:] { shape?[axis] = Dimension(size) }
      arguments[input] = ValueFact(type.dataType, shape?.map { $0.substituting(solver.sizes) })
    }
    self.arguments = arguments
  }

  private static func constraints(
    _ graph: Graph, _ fixed: [ValueID: [Int: Int]]
  ) -> [SymbolBindings.Axis] {
    var axes: [SymbolBindings.Axis] = []
    for input in graph.inputs {
      guard let shape = graph.tensorType(of: input)?.shape, let sizes = fixed[input] else {
        continue
      }
      for (axis, size) in sizes.sorted(by: { $0.key < $1.key }) where axis < shape.count {
        axes.append(
          .init(
            declared: shape[axis], actual: size,
            place: "input '\(graph.name(of: input))' axis \(axis)"))
      }
    }
    return axes
  }

  private static func axis(named text: String, in graph: Graph) -> (ValueID, Int)? {
    guard let dot = text.lastIndex(of: "."), let axis = Int(text[text.index(after: dot)...]),
      let input = graph.value(named: Name(String(text[..<dot]))), graph.inputs.contains(input),
      let shape = graph.tensorType(of: input)?.shape, shape.indices.contains(axis)
    else { return nil }
    return (input, axis)
  }
}
