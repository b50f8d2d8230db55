public import CacheContract
public import GraphIR
import ScheduleLanguage
import Tensors

/// A graph with cache nodes and everything around them, before it is written in any form.
public struct WrappedGraph: Sendable {
  let graph: Graph
  let plan: CachePlan
  /// What a single file would say about itself.
  var manifest: Manifest
  /// The cache nodes in the order of the plan's sites.
  let sites: [NodeID]
  /// The original's blocks.
  let blocks: [FunctionForm.Member]

  init(_ graph: Graph, plan: CachePlan, manifest: Manifest, blocks: [FunctionForm.Member]) {
    self.blocks = blocks
    self.graph = graph
    self.plan = plan
    self.manifest = manifest
    let nodes = Dictionary(
      graph.order.compactMap { id in graph[id].cache.map { ($0.site + "/" + $0.rule, id) } },
      uniquingKeysWith: { first, _ in first })
    let rules = plan.schedule.rules
    sites = plan.sites.compactMap { nodes[$0.name + "/" + rules[$0.rule].rule.name] }
  }

  /// The decision of each site, a bool scalar of the graph.
  var decisions: [ValueID] { sites.compactMap { graph[$0].inputs.first ?? nil } }

  /// The bool scalars that say whether slots hold something of the right shape.
  var readiness: [ValueID] {
    var names = plan.schedule.rules.map {
      Name(ContractNames.valid(rule: $0.rule.name) + "/scalar")
    }
    for pair in graph.statePairs {
      names.append(Name(bytes: graph.name(of: pair.input).bytes + Array("/fits".utf8)))
    }
    return names.compactMap { graph.value(named: $0) }
  }

  /// Inputs that are the model's own.
  var ownInputs: [ValueID] { graph.inputs.filter { !isOfContract($0) } }

  /// Outputs that are the model's own.
  var ownOutputs: [ValueID] { graph.outputs.filter { !isOfContract($0) } }

  /// Pairs of slots; flags that say whether a slot is valid are left to the host here.
  var slots: [StatePair] {
    let flags = Set(manifest.state.filter(\.isValidity).map { Name($0.input) })
    return graph.statePairs.filter { !flags.contains(graph.name(of: $0.input)) }
  }

  private func isOfContract(_ value: ValueID) -> Bool {
    graph.name(of: value).bytes.starts(with: Array(ContractNames.prefix.utf8))
  }

  /// The manifest of several files: state and controls that some file reads or gives, no flags.
  func manifest(of form: Form) -> Manifest {
    var manifest = manifest
    let inputs = Set(form.graphs.flatMap(\.inputs))
    let outputs = Set(form.graphs.flatMap(\.outputs))
    manifest.state = manifest.state.filter {
      !$0.isValidity && (inputs.contains($0.input) || outputs.contains($0.output))
    }
    manifest.controls = manifest.controls.filter(inputs.contains)
    manifest.parameters = manifest.parameters?.filter { inputs.contains($0.input) }
    manifest.form = form
    return manifest
  }
}

/// One graph of a form.
public struct FormGraph: Sendable {
  /// The name of its file.
  public let fileName: String
  /// The graph; standard operators, no `If` of ours.
  public let graph: Graph
}

/// All graphs of a form and the manifest that says how a host uses them.
public struct FormGraphs: Sendable {
  /// The graphs, in the order in which a host first needs them.
  public let graphs: [FormGraph]
  /// What the folder says about itself.
  public let manifest: Manifest
}

extension CachedGraph {
  /// The model in a form of several files.
  ///
  /// - Parameters:
  ///   - kind: `static` or `split`; the others are one file, which `graph` is
  ///   - original: the name of the original's file
  ///   - schedule: the schedule's text
  /// - Returns: the graphs with their manifest
  /// - Throws: `CacheRewriteError` when the schedule cannot be written so
  public func files(
    _ kind: Form.Kind, original: String, schedule: String
  ) throws -> FormGraphs {
    switch kind {
    case .static: try StaticForm(wrapped).make(original: original, schedule: schedule)
    case .split: try SplitForm(wrapped).make(original: original, schedule: schedule)
    case .if, .function:
      throw CacheRewriteError(
        "one-file-form", at: "form '\(kind.rawValue)'", "this form is one file",
        category: .internalFault)
    }
  }
}

extension Graph {
  /// A part that is given what it reads among `inputs` and `given`, and hands out `outputs` that
  /// change; nodes that nothing needs are left out.
  func formPart(
    named name: Name, always inputs: [ValueID], whenRead given: [ValueID], outputs: [ValueID]
  ) -> Graph {
    let nodes = nodes(behind: outputs)
    var read = Set(outputs)
    for id in nodes { read.formUnion(self[id].uses) }
    return part(
      named: name, nodes: nodes, inputs: inputs + given.filter(read.contains), outputs: outputs)
  }

  /// True when a state output is the state input handed on.
  func isHandedOn(_ pair: StatePair) -> Bool {
    guard let producer = producer(of: pair.output) else { return false }
    return self[producer].op == "Identity" && self[producer].inputs == [pair.input]
  }

  /// The names of values.
  func names(of values: [ValueID]) -> [String] { values.map { name(of: $0).text } }
}

/// Words as the name of a file: what is not a letter, digit, point or hyphen becomes a hyphen.
func fileName(_ words: String) -> String {
  let bytes = words.utf8.map { byte -> UInt8 in
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"):
      byte
    default: UInt8(ascii: "-")
    }
  }
  return String(decoding: bytes, as: UTF8.self)
}
