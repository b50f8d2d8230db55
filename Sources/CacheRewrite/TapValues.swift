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
  }

  private var meanings: [Tap: Meaning] = [:]
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
        meanings[tap] = .value(try Self.input(inputs.latents, "latents", of: graph))
      case .timestepEmbedding:
        meanings[tap] = .value(
          try search.timestepEmbedding(
            from: try Self.input(inputs.timestep, "timestep", of: graph)))
      case .timestepProjection:
        meanings[tap] = .value(
          try search.timestepProjection(
            from: try Self.input(inputs.timestep, "timestep", of: graph)))
      case .place(let place, let site):
        meanings[tap] = try Self.meaning(
          place, site, layout: layout, structure: structure, graph: graph, search: search,
          inputs: inputs)
      }
    }
  }

  subscript(tap: Tap) -> Meaning? { meanings[tap] }

  /// Every value that is read.
  var values: Set<ValueID> {
    Set(
      meanings.values.flatMap { meaning in
        switch meaning {
        case .value(let value): [value]
        case .difference(let a, let b): [a, b]
        }
      })
  }

  private static func meaning(
    _ place: Tap.Place, _ site: ScheduleLanguage.Site, layout: BlockLayout,
    structure: ModelStructure, graph: Graph, search: TapSearch, inputs: ModelInputs
  ) throws -> Meaning {
    let ends: (input: ValueID, output: ValueID)
    if site == .output {
      guard let output = graph.outputs.first else {
        throw CacheRewriteError("no-output", at: "output", "the model has no output")
      }
      ends = (try input(inputs.latents, "latents", of: graph), output)
    } else {
      let positions: [Int]
      do throws(Problem) {
        positions = try site.resolve(in: layout)
      } catch {
        throw CacheRewriteError(
          error.code, at: site.text, error.message, hint: error.hint, category: .badSchedule)
      }
      guard let first = positions.first, let last = positions.last,
        let begin = structure.blocks[first].streams.first,
        let end = structure.blocks[last].streams.first
      else {
        throw CacheRewriteError(
          "no-blocks", at: site.text, "no block is meant", category: .badSchedule)
      }
      if place == .modulatedInput {
        return .value(try search.modulatedInput(of: structure.blocks[first]))
      }
      ends = (begin.input, end.output)
      if case .modules(let parts, _, let cut) = site {
        return try module(place, parts, cut, structure.blocks[first], site)
      }
    }
    switch place {
    case .input, .modulatedInput: return .value(ends.input)
    case .output: return .value(ends.output)
    case .residual: return .difference(ends.output, ends.input)
    }
  }

  private static func module(
    _ place: Tap.Place, _ parts: [ScheduleLanguage.Site.Part], _ cut: ScheduleLanguage.Site.Cut,
    _ block: Block, _ site: ScheduleLanguage.Site
  ) throws(CacheRewriteError) -> Meaning {
    let found = block.modules.first { module in
      parts.contains { $0.kinds.contains(module.kind) }
    }
    guard let module = found else {
      throw CacheRewriteError(
        "no-such-module", at: site.text, "the block has no module of this kind",
        hint: "`ditcache inspect` lists the modules of every block", category: .badSchedule)
    }
    return switch place {
    case .input: .value(module.input)
    case .modulatedInput: .value(module.modulatedInput ?? module.input)
    case .output: .value(module.output)
    case .residual: .value(cut == .beforeGate ? module.branch : module.addend)
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
