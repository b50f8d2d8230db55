import Diffusion
import GraphIR
import Interpreter
import Tensors
import TypeInference

/// Inputs for a model of which nothing else is known.
///
/// Floats are N(0, 1), masks 1, timesteps 500, integers 0, bools true.
enum SeededInputs {
  /// Refuses inputs that no machine could make.
  static func requireMemory(for shape: Shape, of input: Name) throws {
    guard shape.elementCount <= EngineOptions.availableMemory / MemoryLayout<Double>.size else {
      throw UsageError(
        "input-too-large", at: "input '\(input)'",
        "\(shape) has \(shape.elementCount) elements, more than there is memory for",
        category: .overLimit)
    }
  }

  /// The sizes that free dimensions are tried with, smallest first.
  static let sizes = Array(stride(from: 2, through: 16, by: 2))

  /// Inputs that fit a model; free dimensions have the smallest even size with which types infer.
  ///
  /// - Parameters:
  ///   - graph: the model, with the dimensions fixed that somebody fixed
  ///   - engine: the same model, asked whether shapes fit
  /// - Returns: one tensor for each input without a default
  /// - Throws: `UsageError` when no size fits, or what the engine throws for a model without free
  ///   dimensions
  static func make(for graph: Graph, engine: Engine) throws -> [Name: Tensor] {
    let inputs = graph.requiredInputs
    let symbols = Set(
      inputs.flatMap { graph.tensorType(of: $0)?.shape ?? [] }.flatMap(\.symbols))
    guard !symbols.isEmpty else { return try feeds(for: inputs, of: graph, size: [:]) }
    let assumptions = try InferTypes().assumptions(of: graph)
    var failure: any Error = UsageError("no-size", at: "--check", "no size was tried")
    for size in sizes {
      do {
        let feeds = try feeds(
          for: inputs, of: graph, size: solved(assumptions, of: symbols, else: size))
        _ = try engine.plan(for: feeds.mapValues(\.shape))
        return feeds
      } catch let error as InterpreterError {
        failure = error
      }
    }
    throw UsageError(
      "no-size", at: "--check",
      "no even size from \(sizes[0]) to \(sizes[sizes.count - 1]) fits the free dimensions "
        + "\(symbols.sorted().joined(separator: ", ")); with the last one: \(failure)",
      hint: "fix them with --dim NAME=N, or pass --input with real inputs")
  }

  /// A size for each symbol: what sizes that must be equal require, else `size`.
  private static func solved(
    _ assumptions: [SizeAssumption], of symbols: Set<String>, else size: Int
  ) -> [String: Int] {
    var known: [String: Int] = [:]
    for symbol in symbols.sorted() where known[symbol] == nil {
      known[symbol] = size
      var progress = true
      while progress {
        progress = false
        for pair in assumptions {
          for (side, other) in [(pair.first, pair.second), (pair.second, pair.first)] {
            let rest = side.substituting(known)
            guard let due = other.substituting(known).value, rest.terms.count == 1,
              let term = rest.terms.first, term.isSymbol, known[term.symbol] == nil,
              (due - rest.constant).isMultiple(of: term.coefficient),
              (due - rest.constant) / term.coefficient > 0
            else { continue }
            known[term.symbol] = (due - rest.constant) / term.coefficient
            progress = true
          }
        }
      }
    }
    return known
  }

  private static func feeds(
    for inputs: [ValueID], of graph: Graph, size: [String: Int]
  ) throws -> [Name: Tensor] {
    var noise = GaussianNoise(seed: 0)
    var feeds: [Name: Tensor] = [:]
    for input in inputs {
      let name = graph.name(of: input)
      guard let type = graph.tensorType(of: input), let dataType = type.dataType,
        let sizes = type.shape?.map({ $0.substituting(size).value })
      else {
        throw UsageError(
          "unknown-input-type", at: "input '\(name)'", "its type is not known",
          hint: "pass --input with real inputs")
      }
      let known = sizes.compactMap { $0 }
      guard known.count == sizes.count else {
        throw UsageError(
          "unknown-input-type", at: "input '\(name)'", "its shape \(type) cannot be computed",
          hint: "pass --input with real inputs")
      }
      let shape = try Shape(known)
      try requireMemory(for: shape, of: name)
      feeds[name] = tensor(named: name.text, dataType, shape, &noise)
    }
    return feeds
  }

  private static func tensor(
    named name: String, _ dataType: DataType, _ shape: Shape, _ noise: inout GaussianNoise
  ) -> Tensor {
    let count = shape.elementCount
    if dataType == .bool {
      return Tensor([Bool](repeating: true, count: count), shape: shape)
    }
    if name.contains("timestep") {
      return Tensor([Float](repeating: 500, count: count), shape: shape)
    }
    if dataType.isInteger {
      return Tensor([Int64](repeating: name.contains("mask") ? 1 : 0, count: count), shape: shape)
    }
    return name.contains("mask")
      ? Tensor([Float](repeating: 1, count: count), shape: shape) : noise.tensor(shape)
  }
}
