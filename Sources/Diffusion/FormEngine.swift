public import CacheContract
public import GraphIR
public import Interpreter
public import Tensors

/// A model in a form of several files, run as if it were the one file of the form `if`.
///
/// It does what the form's manifest asks of every host: of `static` it runs the graph of the step,
/// of `split` the parts in order, each site's `compute` or `reuse` file as the decision says; on a
/// branch's first call everything computes. Beside the folder's own state it reads and gives
/// `ditcache/begun`, which says whether a branch has made a call, so that a `StateBundle` of
/// `manifest` keeps all of it. `ditcache/override` counts for `static` where the folder has a graph
/// that computes just those sites.
public struct FormEngine: DenoisingEngine {
  /// What the engine takes and gives: the folder's manifest with the controls and the flag above.
  public let manifest: Manifest
  /// The inputs that some file reads.
  public let inputs: [Port]
  /// The outputs of the original, then those that carry state.
  public let outputs: [Port]

  private let form: Form
  private let engines: [String: Engine]
  private let files: [String: Form.File]
  /// What may be fed.
  private let known: Set<Name>

  /// A form from its folder's manifest and an engine for each file.
  ///
  /// - Throws: `ContractError` for a manifest that names files, sites or steps that are not there
  public init(_ manifest: Manifest, engines: [String: Engine]) throws(ContractError) {
    guard let form = manifest.form else { throw Self.broken("says nothing of a form") }
    try Self.check(form, of: manifest, engines)
    self.form = form
    self.engines = engines
    self.manifest = manifest.asOneFile
    files = Dictionary(form.graphs.map { ($0.file, $0) }, uniquingKeysWith: { first, _ in first })
    let fed =
      form.inputs + self.manifest.controls + (manifest.parameters ?? []).map(\.input)
      + self.manifest.state.map(\.input)
    known = Set(fed.map { Name($0) })
    let all = form.graphs.compactMap { engines[$0.file] }
    func ports(_ names: [String], _ own: (Engine) -> [Port]) -> [Port] {
      let found = Dictionary(
        all.flatMap(own).map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
      return names.compactMap { found[Name($0)] }
    }
    inputs = ports(fed, \.inputs)
    outputs = ports(form.outputs + manifest.state.map(\.output), \.outputs)
  }

  /// Converts feeds to the element types that the files declare.
  public func converted(_ feeds: [Name: Tensor]) throws -> [Name: Tensor] {
    try form.graphs.reduce(feeds) { try engines[$1.file]?.converted($0) ?? $0 }
  }

  /// One call.
  public func run(_ feeds: consuming [Name: Tensor]) throws -> [Name: Tensor] {
    try run(feeds, trace: nil)
  }

  /// One call; the nodes of all files that run go to the trace.
  ///
  /// - Returns: the original's outputs, all state, `ditcache/computed`, and `ditcache/metric` where a
  ///   file gives it
  public func run(
    _ feeds: consuming [Name: Tensor], trace: TraceSink?
  ) throws -> [Name: Tensor] {
    if let unknown = feeds.keys.first(where: { !known.contains($0) }) {
      throw DiffusionError(
        "unknown-input", at: "input '\(unknown)'", "the model has no such input",
        hint: "its inputs are \(form.inputs.joined(separator: ", "))")
    }
    let begun = feeds[Name(ContractNames.begun)]?.flag ?? false
    let forced = feeds[Name(ContractNames.override)]?.integers() ?? []
    var decided = manifest.sites.indices.map { site -> Bool? in
      guard begun else { return true }
      return switch forced.indices.contains(site) ? forced[site] : 0 {
      case Forced.compute: true
      case Forced.reuse: false
      default: nil
      }
    }
    let step = feeds[Name(ContractNames.step)]?.integers()?.first ?? 0
    var values = feeds
    if form.kind == .static {
      let file = try graph(of: step, begun: begun, &decided)
      try run(file, &values, trace)
    } else {
      try runParts(begun: begun, &decided, &values, trace)
    }
    var results: [Name: Tensor] = [:]
    for name in form.outputs + [ContractNames.metric] { results[Name(name)] = values[Name(name)] }
    for pair in manifest.state {
      results[Name(pair.output)] = values[Name(pair.output)] ?? values[Name(pair.input)]
    }
    results[Name(ContractNames.output(of: ContractNames.begun))] = Tensor([true])
    results[Name(ContractNames.computed)] = Tensor(decided.map { $0 ?? true })
    return results
  }

  /// The numbers of `ditcache/override`.
  private enum Forced {
    static let compute = Int(StateBundle.Override.compute.rawValue)
    static let reuse = Int(StateBundle.Override.reuse.rawValue)
  }

  /// `static`: the graph of a step, or the one that computes what is forced.
  private func graph(
    of step: Int, begun: Bool, _ decided: inout [Bool?]
  ) throws -> String {
    let steps = form.steps ?? []
    let own = steps[begun ? min(max(step, 0), steps.count - 1) : 0]
    let flags = files[own]?.computed ?? []
    let wanted = zip(decided, flags).map { $0 ?? $1 }
    decided = wanted
    if wanted == flags { return own }
    // The graph of step 0 forgets what was kept, so another one is better.
    let fitting = form.graphs.filter { $0.computed == wanted }.map(\.file)
    guard let file = fitting.first(where: { $0 != steps[0] }) ?? fitting.first else {
      let names = zip(manifest.sites, wanted).filter(\.1).map(\.0.name)
      throw DiffusionError(
        "no-graph-for-override", at: ContractNames.override,
        "the folder has no graph that computes "
          + (names.isEmpty ? "nothing" : "only \(names.joined(separator: ", "))"),
        hint: "a form 'static' holds what its schedule does; the form 'split' takes any decision",
        category: .unsupported)
    }
    return file
  }

  /// `split`: the parts in order.
  private func runParts(
    begun: Bool, _ decided: inout [Bool?], _ values: inout [Name: Tensor], _ trace: TraceSink?
  ) throws {
    for part in form.parts ?? [] {
      var name = part.file
      if let site = part.site {
        guard let computes = decided[site] ?? part.decision.flatMap({ values[Name($0)]?.flag })
        else {
          throw Self.broken("names a decision '\(part.decision ?? "")' that no file gives")
        }
        decided[site] = computes
        name = computes ? part.compute : part.reuse
      }
      if !begun, let first = part.first { name = first }
      if let name { try run(name, &values, trace) }
    }
  }

  private func run(
    _ name: String, _ values: inout [Name: Tensor], _ trace: TraceSink?
  ) throws {
    guard let engine = engines[name] else { throw Self.broken("names no file '\(name)'") }
    var feeds: [Name: Tensor] = [:]
    for port in engine.inputs { feeds[port.name] = values[port.name] }
    values.merge(try engine.run(feeds, trace: trace)) { $1 }
  }

  private static func broken(_ what: String) -> ContractError {
    ContractError("broken-manifest", "the manifest of the form \(what)")
  }

  /// Refuses a manifest that names what is not there.
  private static func check(
    _ form: Form, of manifest: Manifest, _ engines: [String: Engine]
  ) throws(ContractError) {
    let parts = form.parts ?? []
    let named =
      (form.steps ?? []) + form.graphs.map(\.file)
      + parts.flatMap { [$0.file, $0.compute, $0.reuse, $0.first].compactMap { $0 } }
    if let missing = named.first(where: { engines[$0] == nil }) {
      throw broken("names a file '\(missing)' that it does not list")
    }
    switch form.kind {
    case .static:
      guard let steps = form.steps, !steps.isEmpty, steps.count == manifest.steps else {
        throw broken("does not name a graph for each of its \(manifest.steps) steps")
      }
      guard form.graphs.allSatisfy({ $0.computed?.count == manifest.sites.count }) else {
        throw broken("does not say for each graph which sites it computes")
      }
    case .split:
      guard parts.allSatisfy({ $0.site.map(manifest.sites.indices.contains) ?? true }) else {
        throw broken("names a site that there is not")
      }
    case .if, .function: throw broken("is of the form '\(form.kind.rawValue)', which is one file")
    }
  }
}

extension Manifest {
  /// The manifest of a form of several files as `FormEngine` follows it: with the controls that it
  /// reads itself, and a flag that says whether a branch has made a call.
  public var asOneFile: Manifest {
    guard form != nil, !state.contains(where: { $0.input == ContractNames.begun }) else {
      return self
    }
    var whole = self
    for control in [ContractNames.step, ContractNames.override]
    where !controls.contains(control) {
      whole.controls.append(control)
    }
    whole.state.append(
      State(
        input: ContractNames.begun, output: ContractNames.output(of: ContractNames.begun),
        dataType: "bool", shape: ["1"], isValidity: true))
    return whole
  }
}

extension Tensor {
  /// The only element of a bool tensor.
  fileprivate var flag: Bool? {
    guard dataType == .bool, elementCount == 1 else { return nil }
    return elements(as: Bool.self).first
  }
}
