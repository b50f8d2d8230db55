package import GraphIR
package import Operators
import Synchronization
import Tensors

/// Walks a graph once, in order, and derives the facts of every value.
///
/// Integer constants of at most `ValueFact.maximumElements` elements and floating-point constants
/// of at most `maximumFloats` are read; a node all of whose operands are known constants and whose
/// results are as small is evaluated, so that the shape arithmetic of old exporters folds away.
package final class FactInference {
  /// How to treat what does not fit.
  package enum Strictness: Sendable {
    /// What an operator refuses stays unknown, and declared types fill gaps.
    case lenient
    /// The first refusal is thrown, and only what operators derive counts.
    case strict
  }

  /// The surroundings of a walk.
  package struct Options: Sendable {
    let strictness: Strictness
    let sizes: [String: Int]
    let symbols: Set<String>
    fileprivate let invented = InventedSymbols()

    /// `sizes` replaces symbols in declared types; `symbols` are the names that the model's own
    /// inputs use.
    package init(
      _ strictness: Strictness, sizes: [String: Int] = [:], symbols: Set<String> = []
    ) {
      self.strictness = strictness
      self.sizes = sizes
      self.symbols = symbols
    }
  }

  /// Largest floating-point constant that is read, in elements.
  package static let maximumFloats = 16

  private let graph: Graph
  private let source: any InferenceSource
  private let options: Options
  private var facts: GraphFacts
  private var current: NodeID?

  /// The facts of a graph whose inputs and captures are `arguments`.
  ///
  /// Inputs and captures without an argument have their declared type.
  package static func facts(
    of graph: Graph, arguments: [ValueID: ValueFact], source: any InferenceSource,
    options: Options
  ) throws(OperatorError) -> GraphFacts {
    let inference = FactInference(graph, source, options)
    for value in graph.inputs + graph.captures {
      inference.facts.values[Int(value.index)] =
        arguments[value] ?? ValueFact(graph.type(of: value).substituting(options.sizes))
    }
    for id in graph.order { try inference.visit(id) }
    for output in graph.outputs { _ = inference.fact(of: output) }
    return inference.facts
  }

  private init(_ graph: Graph, _ source: any InferenceSource, _ options: Options) {
    self.graph = graph
    self.source = source
    self.options = options
    facts = GraphFacts(graph)
  }

  private func visit(_ id: NodeID) throws(OperatorError) {
    current = id
    let node = graph[id]
    if takeKnownResults(of: node) { return }
    let operands = node.inputs.map { value in value.map { fact(of: $0) } }
    do throws(OperatorError) {
      if let cache = node.cache {
        store(try infer(cache, of: id), of: node)
        return
      }
      let `operator` = try source.makeOperator(id, of: graph)
      var results = try `operator`.infer(operands, self)
      for position in results.indices { results[position].makeConstantIfKnown() }
      Self.evaluate(`operator`, operands, &results)
      facts.flops[Int(id.index)] = `operator`.flops(inputs: operands, outputs: results)
      store(results, of: node)
    } catch {
      let place = graph.label(of: id)
      guard options.strictness == .lenient else {
        throw error.at(place, given: operands.map { $0?.type.description })
      }
      facts.remarks.add(place, error.message)
      store([], of: node)
    }
  }

  private func takeKnownResults(of node: Node) -> Bool {
    let results = node.outputs.compactMap { $0 }
    let known = results.compactMap { source.knownResult($0) }
    guard known.count == results.count else { return false }
    for (value, tensor) in zip(results, known) {
      facts.values[Int(value.index)] =
        tensor.elementCount <= ValueFact.maximumElements
        ? ValueFact(constant: tensor)
        : ValueFact(.tensor(TensorType(tensor.dataType, tensor.shape)))
    }
    return true
  }

  private func fact(of value: ValueID) -> ValueFact {
    if let known = facts.values[Int(value.index)] { return known }
    let result =
      graph.initializers[value].map { constantFact(value, $0) }
      ?? ValueFact(graph.type(of: value).substituting(options.sizes))
    facts.values[Int(value.index)] = result
    return result
  }

  private func constantFact(_ value: ValueID, _ stored: StoredTensor) -> ValueFact {
    let limit = stored.dataType.isFloatingPoint ? Self.maximumFloats : ValueFact.maximumElements
    if stored.shape.elementCount <= limit, stored.dataType != .string {
      do {
        if let tensor = try source.load(value, of: graph) { return ValueFact(constant: tensor) }
      } catch {
        facts.remarks.add("constant '\(graph.name(of: value))'", "cannot be read: \(error)")
      }
    }
    return ValueFact(.tensor(stored.type))
  }

  private func store(_ results: [ValueFact], of node: Node) {
    for (position, value) in node.outputs.enumerated() {
      guard let value else { continue }
      var fact = position < results.count ? results[position] : ValueFact(.unknown)
      if options.strictness == .lenient {
        let declared = graph.type(of: value).substituting(options.sizes)
        let merged = MergedType(
          derived: fact.type, declared: declared, symbols: options.symbols)
        fact.type = merged.type
        if let contradiction = merged.contradiction {
          facts.remarks.add("value '\(graph.name(of: value))'", contradiction)
        }
      }
      facts.values[Int(value.index)] = fact
    }
  }

  private static func evaluate(
    _ operator: any Operator, _ operands: [ValueFact?], _ results: inout [ValueFact]
  ) {
    guard results.contains(where: { $0.constant == nil }),
      operands.allSatisfy({ $0 == nil || $0?.constant != nil }),
      results.allSatisfy({ fact in
        guard let shape = fact.type.tensor?.concreteShape else { return false }
        return shape.elementCount <= ValueFact.maximumElements
      })
    else { return }
    let values = operands.map { $0?.constant.map { RuntimeValue.tensor($0) } }
    guard let outputs = try? `operator`.run(values, HeapRunContext()),
      outputs.count == results.count
    else { return }
    for (position, output) in outputs.enumerated() {
      if case .tensor(let tensor) = output { results[position] = ValueFact(constant: tensor) }
    }
  }
}

// MARK: - Graphs inside nodes

extension FactInference: InferenceContext {
  /// The facts of a graph of the node whose typing rule is being asked.
  package func infer(
    subgraph attribute: String, arguments: [ValueFact]
  ) throws(OperatorError) -> [ValueFact] {
    guard let current, case .graph(let subgraph)? = graph[current].attribute(attribute) else {
      throw .badOperands("attribute '\(attribute)' is not a graph")
    }
    guard arguments.count == subgraph.graph.inputs.count else {
      throw .badOperands(
        "the graph '\(attribute)' has \(subgraph.graph.inputs.count) inputs, "
          + "\(arguments.count) are given")
    }
    let key = SubgraphKey(current, attribute)
    let inner = try infer(subgraph, key: key, arguments: arguments)
    return subgraph.graph.outputs.map { inner[$0] }
  }

  /// A symbol for a size that depends on data.
  package func makeSymbol() -> Dimension {
    options.invented.next(avoiding: options.symbols)
  }

  /// Records the pair; sizes over the model's own symbols are worth more than invented ones.
  package func assumeEqual(_ a: Dimension, _ b: Dimension) -> Dimension {
    let pair = Set([a, b])
    if !facts.assumptions.contains(where: { Set([$0.first, $0.second]) == pair }) {
      let place = current.map { graph.label(of: $0) } ?? "graph '\(graph.name)'"
      facts.assumptions.append(SizeAssumption(first: a, second: b, place: place))
    }
    let isNative = { (size: Dimension) in size.symbols.allSatisfy(self.options.symbols.contains) }
    return !isNative(a) && isNative(b) ? b : a
  }

  private func infer(
    _ subgraph: Subgraph, key: SubgraphKey, arguments: [ValueFact]
  ) throws(OperatorError) -> GraphFacts {
    var known: [ValueID: ValueFact] = [:]
    for (input, argument) in zip(subgraph.graph.inputs, arguments) { known[input] = argument }
    for (inner, outer) in zip(subgraph.graph.captures, subgraph.captures) {
      known[inner] = fact(of: outer)
    }
    do throws(OperatorError) {
      let inner = try Self.facts(
        of: subgraph.graph, arguments: known, source: source.source(for: key), options: options)
      facts.remarks.add(inner.remarks, inside: graph.label(of: key.node))
      facts.subgraphs[key] = .success(inner)
      return inner
    } catch {
      facts.subgraphs[key] = .failure(error)
      throw error
    }
  }

  private func infer(_ cache: CacheNode, of id: NodeID) throws(OperatorError) -> [ValueFact] {
    let body = try infer(cache.body, key: SubgraphKey(id, "body"), arguments: [])
    _ = try infer(cache.reuse, key: SubgraphKey(id, "reuse"), arguments: [])
    return cache.body.graph.outputs.map { ValueFact(body[$0].type) }
  }
}

/// Hands out symbols for sizes that depend on data, each once in a whole model.
private final class InventedSymbols: Sendable {
  private let count = Atomic<Int>(0)

  func next(avoiding taken: Set<String>) -> Dimension {
    while true {
      let number = count.add(1, ordering: .relaxed).newValue
      let name = "data\(number)"
      if !taken.contains(name) { return Dimension(symbol: name) }
    }
  }
}

extension ValueFact {
  /// Makes integers that are all known a constant.
  fileprivate mutating func makeConstantIfKnown() {
    guard constant == nil, let numbers = integers, let type = type.tensor,
      let shape = type.concreteShape, shape.elementCount == numbers.count
    else { return }
    switch type.dataType {
    case .int64: constant = Tensor(numbers.map { Int64($0) }, shape: shape)
    case .int32:
      let narrow = numbers.compactMap { Int32(exactly: $0) }
      if narrow.count == numbers.count { constant = Tensor(narrow, shape: shape) }
    default: return
    }
  }
}
