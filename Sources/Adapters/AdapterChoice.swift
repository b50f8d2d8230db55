public import GraphIR
public import ModelStructure
public import ScheduleLanguage

/// Picks the adapter that a model needs.
public enum AdapterChoice {
  /// The adapter with a name, or the one that recognises the model.
  ///
  /// An adapter recognises a model that has every input it names, every block family it lists and
  /// latents of its rank; the one that says most wins.
  ///
  /// - Parameters:
  ///   - name: the user's choice, or nil
  ///   - adapters: all known adapters
  ///   - graph: the model
  ///   - structure: its blocks
  ///   - cachedFamilies: families that cache nodes hide from the structure
  ///   - renames: inputs under other names, by the adapter's names or by role words
  /// - Returns: the adapter
  /// - Throws: `AdapterError` when none or several fit, with what there is to choose from
  public static func choose(
    _ name: String?, among adapters: [AdapterDescription], for graph: Graph,
    _ structure: ModelStructure, cachedFamilies: [String] = [],
    renames: [String: String] = [:]
  ) throws(AdapterError) -> AdapterDescription {
    let known = adapters.map(\.name).sorted().joined(separator: ", ")
    if let name {
      guard let adapter = adapters.first(where: { $0.name == name }) else {
        throw AdapterError(
          "unknown-adapter", at: "adapter '\(name)'", "there is no such adapter",
          hint: "known adapters: \(known)")
      }
      return adapter
    }
    let inputs = Set(graph.requiredInputs.map { graph.name(of: $0).text })
    let families = Set(cachedFamilies + structure.families.map(\.name))
    let readable = adapters.filter { adapter in
      inputs.isSuperset(of: adapter.inputs.map { adapter.ownName(of: $0, roles: renames) })
        && hasRank(
          adapter.latentsRank, adapter.ownName(of: adapter.latents, roles: renames), in: graph)
    }
    var fitting = readable.filter { families.isSuperset(of: $0.families) }
    if fitting.isEmpty, !renames.isEmpty { fitting = readable }
    let best = fitting.map(weight).max()
    let winners = fitting.filter { weight($0) == best }
    guard let winner = winners.first else {
      throw AdapterError(
        "no-adapter", at: "model '\(graph.name)'",
        "no adapter knows inputs \(inputs.sorted().joined(separator: ", "))"
          + " with block families \(families.sorted().joined(separator: ", "))",
        hint: "pass --adapter with one of \(known), or write one")
    }
    guard winners.count == 1 else {
      let names = winners.map(\.name).joined(separator: ", ")
      throw AdapterError(
        "several-adapters", at: "model '\(graph.name)'", "several adapters fit: \(names)",
        hint: "choose one with --adapter")
    }
    return winner
  }

  private static func weight(_ adapter: AdapterDescription) -> Int {
    adapter.inputs.count + adapter.families.count + (adapter.latentsRank == nil ? 0 : 1)
  }

  private static func hasRank(_ rank: Int?, _ input: String, in graph: Graph) -> Bool {
    guard let rank else { return true }
    return graph.value(named: Name(input)).flatMap { graph.tensorType(of: $0)?.shape?.count }
      == rank
  }
}
