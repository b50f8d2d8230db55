import CacheContract
import GraphIR
import ScheduleLanguage

/// The form `static`: one graph for each set of sites that some step computes.
///
/// No graph decides anything: cache nodes have become their bodies or what stands in for them, and
/// a graph has only the state inputs and outputs that it reads and changes. The manifest lists the
/// graph of each step.
struct StaticForm {
  private let wrapped: WrappedGraph

  /// Refuses schedules that decide during the run.
  init(_ wrapped: WrappedGraph) throws(CacheRewriteError) {
    for rule in wrapped.plan.schedule.rules where rule.table.isAdaptive {
      throw CacheRewriteError(
        "adaptive-schedule", at: "rule '\(rule.rule.name)'",
        "the rule decides during the run, and the form 'static' takes decisions that are known "
          + "before",
        hint: rule.rule.needsOnlyLevels
          ? "it decides by noise levels: give those of the run with --levels X.npz"
          : "write the form 'if', or 'split' for a runtime without If")
    }
    self.wrapped = wrapped
  }

  /// The graphs and the table of steps.
  ///
  /// - Parameters:
  ///   - original: the name of the original's file
  ///   - schedule: the schedule's text
  /// - Returns: the graphs with their manifest
  /// - Throws: `CacheRewriteError` when the schedule cannot be written so
  func make(original: String, schedule: String) throws -> FormGraphs {
    let steps = wrapped.plan.schedule.steps
    var situations: [Situation] = []
    var graphs: [Graph] = []
    func index(of situation: Situation) throws -> Int {
      if let known = situations.firstIndex(of: situation) { return known }
      situations.append(situation)
      graphs.append(try graph(for: situation))
      return situations.count - 1
    }
    let everything = wrapped.plan.schedule.rules.map { _ in true }
    let first = try index(of: Situation(computes: everything, isReady: false))
    var table: [Int] = []
    for step in 0..<steps {
      let computes = wrapped.plan.schedule.rules.map { $0.table.isComputed(at: step) }
      table.append(
        try index(of: Situation(computes: step == 0 ? everything : computes, isReady: true)))
    }
    // A first call that does just what later ones do needs no graph of its own.
    let twin = situations.indices.dropFirst().first {
      situations[$0].computes == everything && graphs[$0].text() == graphs[first].text()
    }
    table[0] = twin ?? first
    var places: [Int] = []
    for index in table + [twin ?? first] where !places.contains(index) { places.append(index) }
    let names = names(of: places.map { situations[$0] })
    let files = Dictionary(uniqueKeysWithValues: zip(places, names))
    let form = Form(
      .static, original: original, schedule: schedule,
      inputs: wrapped.graph.names(of: wrapped.ownInputs),
      outputs: wrapped.graph.names(of: wrapped.ownOutputs),
      graphs: zip(places, names).map { index, name in
        let graph = graphs[index]
        return Form.File(
          file: name, inputs: graph.names(of: graph.inputs),
          outputs: graph.names(of: graph.outputs),
          computed: wrapped.plan.sites.map { situations[index].computes[$0.rule] })
      }, steps: table.compactMap { files[$0] })
    return FormGraphs(
      graphs: zip(places, names).map { FormGraph(fileName: $1, graph: graphs[$0]) },
      manifest: wrapped.manifest(of: form))
  }

  /// What a graph does: which rules compute, and whether slots hold something.
  private struct Situation: Hashable {
    let computes: [Bool]
    let isReady: Bool
  }

  private func graph(for situation: Situation) throws -> Graph {
    var facts: [ValueID: Bool] = [:]
    for value in wrapped.readiness { facts[value] = situation.isReady }
    for (site, decision) in zip(wrapped.plan.sites, wrapped.decisions) {
      facts[decision] = situation.computes[site.rule]
    }
    let graph = try Specialization(
      wrapped.graph, knowing: facts, place: "form 'static'"
    ).graph
    let changed = wrapped.slots.filter { !graph.isHandedOn($0) }.map(\.output)
    let own = Set(wrapped.ownInputs)
    return graph.formPart(
      named: graph.name, always: wrapped.ownInputs,
      whenRead: graph.inputs.filter { !own.contains($0) },
      outputs: wrapped.ownOutputs + changed)
  }

  /// File names that say what is computed: all, nothing or the rules.
  private func names(of situations: [Situation]) -> [String] {
    let rules = wrapped.plan.schedule.rules.map(\.rule.name)
    var taken: Set<String> = []
    return situations.map { situation in
      let computed = zip(rules, situation.computes).filter(\.1).map(\.0)
      var stem =
        if computed.count == rules.count {
          "compute-all"
        } else if computed.isEmpty {
          "reuse-all"
        } else {
          "compute-" + computed.joined(separator: "-and-")
        }
      if stem.utf8.count > 100 { stem = "compute-\(computed.count)-of-\(rules.count)-rules" }
      if !situation.isReady { stem += "-first" }
      var name = fileName(stem)
      var number = 2
      while !taken.insert(name).inserted {
        name = fileName("\(stem)-\(number)")
        number += 1
      }
      return name + ".onnx"
    }
  }
}
