import CacheContract
import GraphIR
import ScheduleLanguage
import Tensors

/// The form `split`: graphs cut at the sites, so that the host skips what is not computed.
///
/// A call runs the head, then for each site, in execution order, its `compute` or its `reuse` graph
/// and what lies between it and the next one. Whatever a graph reads is an input of the original,
/// a control, a state, or an output of a graph run before, under one name everywhere. Updates of
/// a rule's own slots that depend on the decision are parts of the same kind. Overrides and the
/// validity of slots are the host's: on a branch's first call everything computes.
struct SplitForm {
  private let wrapped: WrappedGraph
  /// Cache nodes and the updates of rules: what a host chooses for.
  private let choices: [NodeID]

  init(_ wrapped: WrappedGraph) {
    self.wrapped = wrapped
    let graph = wrapped.graph
    let decisions = Set(wrapped.decisions)
    choices = graph.order.filter { id in
      let node = graph[id]
      return node.cache != nil
        || (node.origin == nil && node.op == "If"
          && (node.inputs.first ?? nil).map(decisions.contains) ?? false)
    }
  }

  /// The graphs and the order in which a host runs them.
  ///
  /// - Parameters:
  ///   - original: the name of the original's file
  ///   - schedule: the schedule's text
  /// - Returns: the graphs with their manifest
  /// - Throws: `CacheRewriteError` when the schedule cannot be written so
  func make(original: String, schedule: String) throws -> FormGraphs {
    let later = try cut(isReady: true)
    let first = try cut(isReady: false)
    var files = Files()
    var parts: [Form.Part] = []
    let last = later.lastIndex { $0.whole.map { !$0.outputs.isEmpty } ?? false }
    for (number, part) in later.enumerated() {
      if let whole = part.whole {
        let name = number == last && number > 0 ? "finish" : part.name
        guard !whole.outputs.isEmpty || first[number].whole?.outputs.isEmpty == false else {
          continue
        }
        let file = files.addUnlessEmpty(whole, as: name)
        var other: String?
        if let begin = first[number].whole, !serves(whole, for: begin) {
          other = files.addUnlessEmpty(begin, as: name + ".first")
        }
        parts.append(Form.Part(name: name, file: file, first: other))
      } else if let compute = part.compute, let reuse = part.reuse, let decision = part.decision {
        let file = files.addUnlessEmpty(compute, as: part.name + ".compute")
        var other: String?
        if let begin = first[number].compute, !serves(compute, for: begin) {
          other = files.addUnlessEmpty(begin, as: part.name + ".compute.first")
        }
        parts.append(
          Form.Part(
            name: part.name, site: part.site ?? 0, decision: decision, compute: file,
            reuse: files.addUnlessEmpty(reuse, as: part.name + ".reuse"), first: other))
      }
    }
    let form = Form(
      .split, original: original, schedule: schedule,
      inputs: wrapped.graph.names(of: wrapped.ownInputs),
      outputs: wrapped.graph.names(of: wrapped.ownOutputs),
      graphs: files.graphs.map { file in
        Form.File(
          file: file.fileName, inputs: file.graph.names(of: file.graph.inputs),
          outputs: file.graph.names(of: file.graph.outputs))
      }, parts: parts)
    return FormGraphs(graphs: files.graphs, manifest: wrapped.manifest(of: form))
  }

  /// True when a graph of later calls does on a first call what the one made for it would.
  ///
  /// It may read controls that the other does not, but no state and nothing that other graphs make.
  private func serves(_ later: Graph, for first: Graph) -> Bool {
    let outputs = first.outputs.compactMap { later.value(named: first.name(of: $0)) }
    let extra = Set(later.names(of: later.inputs)).subtracting(first.names(of: first.inputs))
    let fed = Set(wrapped.graph.names(of: wrapped.graph.inputs))
      .subtracting(wrapped.graph.names(of: wrapped.slots.map(\.input)))
    guard outputs.count == first.outputs.count, extra.isSubset(of: fed) else { return false }
    let nodes = later.nodes(behind: outputs)
    let same = later.part(
      named: later.name, nodes: nodes,
      inputs: first.inputs.compactMap { later.value(named: first.name(of: $0)) }, outputs: outputs)
    return same.text() == first.text()
  }

  // MARK: - Cutting

  /// What stands between two choices, or a choice.
  private struct Piece {
    let name: String
    var whole: Graph?
    var site: Int?
    var decision: String?
    var compute: Graph?
    var reuse: Graph?
  }

  /// All pieces in the order in which they run: segment, choice, segment, choice, …, segment.
  private func cut(isReady: Bool) throws -> [Piece] {
    var facts: [ValueID: Bool] = [:]
    for value in wrapped.readiness { facts[value] = isReady }
    for name in overrides { facts[name] = false }
    let base = try Specialization(
      wrapped.graph, knowing: facts, keeping: Set(choices), place: "form 'split'")
    let graph = base.graph
    let levels = Levels(graph, choices: choices)
    let conditions = choices.map { graph[$0].inputs.first ?? nil }
    var needed = Set(wrapped.ownOutputs)
    needed.formUnion(wrapped.slots.filter { !graph.isHandedOn($0) }.map(\.output))
    if let metric = graph.value(named: Name(ContractNames.metric)), isReady {
      needed.insert(metric)
    }
    var pieces: [Piece] = []
    for number in choices.indices.reversed() {
      pieces.append(try segment(number + 1, of: graph, levels, &needed))
      pieces.append(
        try choice(number, of: graph, levels, condition: conditions[number], isReady, &needed))
    }
    pieces.append(try segment(0, of: graph, levels, &needed))
    return pieces.reversed()
  }

  /// The values by which a host forces a site; here the host does so by itself.
  private var overrides: [ValueID] {
    let rules = wrapped.plan.schedule.rules
    return wrapped.plan.sites.flatMap { site in
      ["must_compute", "must_reuse"].compactMap { word in
        wrapped.graph.value(
          named: Name("ditcache/\(rules[site.rule].rule.name)/\(site.name)/\(word)"))
      }
    }
  }

  private func segment(
    _ number: Int, of graph: Graph, _ levels: Levels, _ needed: inout Set<ValueID>
  ) throws -> Piece {
    let name = number == 0 ? "head" : "between-\(number)"
    let outputs = needed.filter { levels.segment(of: $0) == number }.sorted()
    let part = levels.part(named: Name(name), outputs: outputs, segment: number)
    needed.subtract(outputs)
    needed.formUnion(part.given)
    return Piece(name: name, whole: part.graph)
  }

  private func choice(
    _ number: Int, of graph: Graph, _ levels: Levels, condition: ValueID?, _ isReady: Bool,
    _ needed: inout Set<ValueID>
  ) throws -> Piece {
    let id = choices[number]
    let node = graph[id]
    let outputs = node.outputs.compactMap { $0 }.filter(needed.contains)
    needed.subtract(outputs)
    let whole = levels.part(named: graph.name, outputs: outputs, choice: id)
    let site =
      wrapped.sites.firstIndex(of: id)
      ?? wrapped.decisions.firstIndex {
        wrapped.graph[id].inputs.first == $0
      }
    let name = node.cache?.site ?? "update-\(rule(of: site))"
    var piece = Piece(name: name, site: site)
    let isSettled = condition.map { graph.initializers[$0] != nil } ?? true
    piece.compute = try branch(true, of: whole.graph, condition: condition, graph, name)
    if isReady, isSettled {
      throw CacheRewriteError(
        "settled-site", at: name, "the rule always decides the same, so there is nothing to choose",
        hint: "write the form 'static'", category: .badSchedule)
    }
    if isReady {
      piece.reuse = try branch(false, of: whole.graph, condition: condition, graph, name)
    }
    let read = Set(
      [piece.compute, piece.reuse].compactMap { $0 }.flatMap { $0.names(of: $0.inputs) })
    needed.formUnion(whole.given.filter { read.contains(graph.name(of: $0).text) })
    if let condition, isReady {
      piece.decision = graph.name(of: condition).text
      needed.insert(condition)
    }
    return piece
  }

  private func rule(of site: Int?) -> String {
    guard let site else { return "rule" }
    return wrapped.plan.schedule.rules[wrapped.plan.sites[site].rule].rule.name
  }

  /// One side of a choice as a graph; what it hands on unchanged is not handed out.
  private func branch(
    _ computes: Bool, of graph: Graph, condition: ValueID?, _ main: Graph, _ name: String
  ) throws -> Graph {
    var facts: [ValueID: Bool] = [:]
    if let condition, let inner = graph.value(named: main.name(of: condition)) {
      facts[inner] = computes
    }
    let special = try Specialization(graph, knowing: facts, place: name).graph
    let handedOn = wrapped.slots.filter { pair in
      let names = (wrapped.graph.name(of: pair.input), wrapped.graph.name(of: pair.output))
      guard let input = special.value(named: names.0), let output = special.value(named: names.1)
      else { return false }
      return special.isHandedOn(StatePair(input: input, output: output))
    }
    let left = Set(handedOn.map { wrapped.graph.name(of: $0.output) })
    return special.formPart(
      named: main.name, always: [], whenRead: special.inputs,
      outputs: special.outputs.filter { !left.contains(special.name(of: $0)) })
  }

  /// Graphs with file names of their own.
  private struct Files {
    private(set) var graphs: [FormGraph] = []
    private var taken: Set<String> = []

    /// Nil for a graph that gives nothing.
    mutating func addUnlessEmpty(_ graph: Graph, as words: String) -> String? {
      graph.outputs.isEmpty ? nil : add(graph, as: words)
    }

    mutating func add(_ graph: Graph, as words: String) -> String {
      let stem = fileName(words)
      var name = stem + ".onnx"
      var number = 2
      while !taken.insert(name).inserted {
        name = "\(stem)-\(number).onnx"
        number += 1
      }
      graphs.append(FormGraph(fileName: name, graph: graph))
      return name
    }
  }
}
