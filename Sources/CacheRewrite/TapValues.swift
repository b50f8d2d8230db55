import GraphIR
import ModelStructure
import ScheduleLanguage
import Tensors

/// The values of a graph that the taps of a schedule's rules mean.
struct TapValues: Sendable {
  /// What one tap reads.
  enum Meaning: Hashable, Sendable {
    case value(ValueID)
    /// The first less the second.
    case difference(ValueID, ValueID)
    /// What is computed anew from some values, the output being what it stands for.
    case recomputed(inputs: [ValueID], output: ValueID)
  }

  /// What each tap reads; in several streams only where it means that of the site.
  private var meanings: [Tap: [Meaning]] = [:]
  /// The timestep input, if a rule reads it.
  private(set) var timestep: ValueID?

  init(
    _ schedule: ResolvedSchedule, layout: BlockLayout, structure: ModelStructure, graph: Graph,
    inputs: ModelInputs
  ) throws {
    let expressions = schedule.rules.flatMap(\.rule.expressions)
    if expressions.contains(where: { $0.controls.contains(.timestep) }) {
      timestep = try Self.input(inputs.timestep, "timestep", of: graph)
    }
    let search = TapSearch(graph, uses: UseIndex(graph))
    for tap in Set(expressions.flatMap(\.taps)) {
      switch tap {
      case .latents:
        meanings[tap] = [.value(try Self.input(inputs.latents, "latents", of: graph))]
      case .timestepEmbedding:
        meanings[tap] = [
          .value(
            try search.timestepEmbedding(
              from: try Self.input(inputs.timestep, "timestep", of: graph)))
        ]
      case .timestepProjection:
        meanings[tap] = [
          .value(
            try search.timestepProjection(
              from: try Self.input(inputs.timestep, "timestep", of: graph)))
        ]
      case .place(let place, let site, let stream):
        let streams = try Self.meanings(
          place, site, layout: layout, structure: structure, graph: graph, search: search,
          inputs: inputs)
        meanings[tap] = try Self.chosen(stream, of: streams, at: site)
      }
    }
  }

  /// The values of rules without taps.
  init(_ schedule: ResolvedSchedule, timestep: ValueID) {
    let isRead = schedule.rules.flatMap(\.rule.expressions).contains {
      $0.controls.contains(.timestep)
    }
    self.timestep = isRead ? timestep : nil
  }

  /// What a tap reads, for a stream of the site that asks.
  subscript(tap: Tap, stream: Int = 0) -> Meaning? {
    guard let streams = meanings[tap] else { return nil }
    return stream < streams.count ? streams[stream] : streams.first
  }

  /// The streams that a tap means: one, or each where it is that of the site.
  private static func chosen(
    _ stream: Tap.Stream, of streams: [Meaning], at site: ScheduleLanguage.Site
  ) throws(CacheRewriteError) -> [Meaning] {
    guard case .number(let number) = stream else { return streams }
    guard number < streams.count else {
      throw CacheRewriteError(
        "no-such-stream", at: site.text,
        "there is no stream \(number): \(streams.count) of hidden states pass there",
        category: .badSchedule)
    }
    return [streams[number]]
  }

  /// What a tap reads, for any stream.
  func values(of tap: Tap) -> [ValueID] {
    meanings[tap, default: []].flatMap { meaning in
      switch meaning {
      case .value(let value): [value]
      case .difference(let a, let b): [a, b]
      case .recomputed(let inputs, let output): inputs + [output]
      }
    }
  }

  /// Every value that is read.
  var values: Set<ValueID> { Set(meanings.keys.flatMap { values(of: $0) }) }

  private static func meanings(
    _ place: Tap.Place, _ site: ScheduleLanguage.Site, layout: BlockLayout,
    structure: ModelStructure, graph: Graph, search: TapSearch, inputs models: ModelInputs
  ) throws -> [Meaning] {
    let inputs: [ValueID]
    let outputs: [ValueID]
    if site == .output {
      guard let output = graph.outputs.first else {
        throw CacheRewriteError("no-output", at: "output", "the model has no output")
      }
      (inputs, outputs) = ([try input(models.latents, "latents", of: graph)], [output])
    } else {
      let positions: [Int]
      do throws(Problem) {
        positions = try site.resolve(in: layout)
      } catch {
        throw CacheRewriteError(
          error.code, at: site.text, error.message, hint: error.hint, category: .badSchedule)
      }
      guard let first = positions.first, let last = positions.last,
        !structure.blocks[first].streams.isEmpty, !structure.blocks[last].streams.isEmpty
      else {
        throw CacheRewriteError(
          "no-blocks", at: site.text, "no block is meant", category: .badSchedule)
      }
      if place == .modulatedInput {
        return [.value(try search.modulatedInput(of: structure.blocks[first]))]
      }
      inputs = structure.blocks[first].streams.map(\.input)
      outputs = structure.blocks[last].streams.map(\.output)
      if case .modules(let parts, _, let cut) = site {
        return try modules(place, parts, cut, structure.blocks[first], site)
      }
    }
    switch place {
    case .input, .modulatedInput: return inputs.map { .value($0) }
    case .output: return outputs.map { .value($0) }
    case .residual:
      guard inputs.count == outputs.count else {
        throw CacheRewriteError(
          "streams-differ", at: site.text,
          "\(inputs.count) streams of hidden states enter and \(outputs.count) leave, so that there "
            + "is no difference",
          hint: "read the residual of blocks of one family", category: .badSchedule)
      }
      return zip(outputs, inputs).map { .difference($0, $1) }
    case .recomputed: return outputs.map { .recomputed(inputs: inputs, output: $0) }
    }
  }

  private static func modules(
    _ place: Tap.Place, _ parts: [ScheduleLanguage.Site.Part], _ cut: ScheduleLanguage.Site.Cut,
    _ block: Block, _ site: ScheduleLanguage.Site
  ) throws(CacheRewriteError) -> [Meaning] {
    let found = block.modules.filter { module in
      parts.contains { $0.kinds.contains(module.kind) }
    }
    guard !found.isEmpty else {
      throw CacheRewriteError(
        "no-such-module", at: site.text, "the block has no module of this kind",
        hint: "`ditcache inspect` lists the modules of every block", category: .badSchedule)
    }
    return found.map { module in
      switch place {
      case .input: .value(module.input)
      case .modulatedInput: .value(module.modulatedInput ?? module.input)
      case .output: .value(module.output)
      case .residual: .value(cut == .beforeGate ? module.branch : module.addend)
      case .recomputed:
        .recomputed(
          inputs: [module.input], output: cut == .beforeGate ? module.branch : module.addend)
      }
    }
  }

  /// The graph input that a role means.
  static func input(
    _ name: Name?, _ role: String, of graph: Graph
  ) throws(CacheRewriteError) -> ValueID {
    guard let name, let value = graph.value(named: name), graph.inputs.contains(value) else {
      throw CacheRewriteError(
        "unknown-role", at: role, "it is not known which input of the model is the \(role)",
        hint: "name an adapter with --adapter, or the input with --role \(role)=NAME")
    }
    return value
  }
}
