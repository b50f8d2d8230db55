import CacheContract
import CacheRewrite
import GraphIR
import Interpreter
import Tensors
import Testing

private func schedule(_ rules: String...) -> String {
  """
  rule total_change(of, threshold) {
    slot total = 0
    let change = relative_l1(of, since: last_call)
    total := total + change, then 0 when computed
    compute unless total < threshold
  }
  schedule test for any {
    steps 8
    \(rules.joined(separator: "\n  "))
  }

  """
}

private let everyThird = "cache blocks[0-1] as front { keep delta\n refresh every 3 }"
private let everySecond = "cache blocks[2] as rear { keep delta\n refresh every 2 }"
private let forecast = """
  cache blocks[1..] { keep delta
    forecast taylor order 2
    refresh every 3 }
  """
private let adaptive = """
  cache blocks[1..] { keep delta
    refresh unless relative_l1(residual(blocks[0]), since: last_computed) < 0.02 }
  """
private let accumulated = """
  cache blocks[1..] { keep delta
    use total_change(of: output(blocks[0]), threshold: 0.02) }
  """

@Suite struct FormsTests {
  private func input(_ step: Int) throws -> Tensor {
    let drift = Float(step) * 0.03
    return Tensor(
      [1 + drift, -2 + drift * drift, 0.5 - drift, 3], shape: try Shape([1, 2, 2]))
  }

  private func files(_ text: String, _ kind: Form.Kind, tokens: Dimension = 2) throws -> FormGraphs
  {
    try ToyTransformer.cached(text, tokens: tokens, convention: .required)
      .files(kind, original: "toy.onnx", schedule: text)
  }

  /// Runs a form and the single file side by side; returns how often each set of flags came up.
  @discardableResult
  private func expectAgreement(
    _ text: String, _ kind: Form.Kind, tokens: Dimension = 2, steps: Int = 8
  ) throws -> [[Bool]] {
    let cached = try ToyTransformer.cached(text, tokens: tokens, convention: .required)
    let engine = try Engine(cached.graph, options: EngineOptions(threads: 1))
    var bundle = StateBundle(cached.manifest)
    var host = try FormHost(try files(text, kind, tokens: tokens))
    var flags: [[Bool]] = []
    for step in 0..<steps {
      let own: [Name: Tensor] = ["x": try input(step)]
      let expected = bundle.absorb(try engine.run(try bundle.feeds(adding: own, step: step)))
      let (outputs, computed) = try host.call(own, step: step)
      #expect(computed == expected["ditcache/computed"]?.elements(as: Bool.self), "step \(step)")
      let y = try #require(outputs["y"]?.elements(as: Float.self))
      let due = try #require(expected["y"]?.elements(as: Float.self))
      #expect(zip(y, due).allSatisfy { abs($0 - $1) <= 1e-5 * max(1, abs($1)) }, "step \(step)")
      flags.append(computed)
    }
    return flags
  }

  @Test(arguments: [
    [everyThird], [everyThird, everySecond], [forecast],
  ])
  func aStaticFormDoesWhatOneFileDoes(rules: [String]) throws {
    let text = schedule(rules.joined(separator: "\n"))
    let flags = try expectAgreement(text, .static)
    #expect(flags.contains { $0.contains(false) })
  }

  @Test(arguments: [
    [everyThird], [everyThird, everySecond], [forecast], [adaptive], [accumulated],
  ])
  func aSplitFormDoesWhatOneFileDoes(rules: [String]) throws {
    let text = schedule(rules.joined(separator: "\n"))
    let flags = try expectAgreement(text, .split)
    #expect(
      flags.contains { $0.contains(false) } && flags.dropFirst().contains { $0.contains(true) })
  }

  @Test func freeDimensionsStayFree() throws {
    let text = schedule(everyThird, everySecond)
    try expectAgreement(text, .static, tokens: Dimension(symbol: "n"))
    try expectAgreement(text, .split, tokens: Dimension(symbol: "n"))
  }

  @Test func noGraphHasAnIfAndAStaticOneHasNoControls() throws {
    for (kind, text) in [
      (Form.Kind.static, schedule(everyThird, everySecond)), (.static, schedule(forecast)),
      (.split, schedule(everyThird)), (.split, schedule(adaptive)), (.split, schedule(forecast)),
    ] {
      for file in try files(text, kind).graphs {
        try file.graph.verify()
        #expect(file.graph.operatorCounts()["If"] == nil, "\(file.fileName)")
        #expect(file.graph.initializers.keys.allSatisfy { !file.graph.inputs.contains($0) })
        guard kind == .static, text == schedule(everyThird, everySecond) else { continue }
        let controls = file.graph.inputs.map { file.graph.name(of: $0).text }
          .filter { $0.hasPrefix("ditcache/") && !$0.hasSuffix("/delta") }
        #expect(controls.isEmpty, "\(controls)")
      }
    }
  }

  @Test func thereIsOneGraphForEachSetOfComputedSites() throws {
    let form = try #require(try files(schedule(everyThird, everySecond), .static).manifest.form)
    #expect(
      form.graphs.map(\.file) == [
        "compute-all.onnx", "reuse-all.onnx", "compute-rear.onnx", "compute-front.onnx",
      ])
    #expect(Set(form.graphs.map(\.computed)).count == form.graphs.count)
    #expect(form.steps?.count == 8)
    #expect(form.steps?[0] == "compute-all.onnx" && form.steps?[6] == "compute-all.onnx")
    #expect(form.steps?[1] == "reuse-all.onnx")
  }

  @Test func aGraphHasOnlyTheStateThatItReadsOrChanges() throws {
    let graphs = try files(schedule(everyThird), .static)
    let form = try #require(graphs.manifest.form)
    let all = try #require(form.graphs.first { $0.file == "compute-all.onnx" })
    let none = try #require(form.graphs.first { $0.file == "reuse-all.onnx" })
    let slot = try #require(graphs.manifest.state.first)
    #expect(graphs.manifest.state.count == 1)
    #expect(all.inputs == ["x"] && Set(all.outputs) == ["y", slot.output])
    #expect(Set(none.inputs) == ["x", slot.input] && none.outputs == ["y"])
    let reused = try #require(graphs.graphs.first { $0.fileName == "reuse-all.onnx" })
    #expect(reused.graph.operatorCounts()["MatMul"] == 1)
  }

  @Test func anAdaptiveScheduleHasNoStaticForm() throws {
    let error = #expect(throws: CacheRewriteError.self) {
      try files(schedule(adaptive), .static)
    }
    #expect(error?.code == "adaptive-schedule")
    #expect(error?.hint?.contains("'split'") == true)
  }

  @Test func theHeadOfASplitModelTellsTheDecision() throws {
    let form = try #require(try files(schedule(adaptive), .split).manifest.form)
    let parts = try #require(form.parts)
    #expect(parts.map(\.name) == ["head", "blocks.1-2", "finish", "update-blocks"])
    let choice = try #require(parts.first { $0.decision != nil })
    let head = try #require(form.graphs.first { $0.file == "head.onnx" })
    #expect(head.outputs.contains(try #require(choice.decision)))
    #expect(choice.compute == "blocks.1-2.compute.onnx" && choice.reuse == "blocks.1-2.reuse.onnx")
  }

  @Test func whatAFileReadsIsGivenByTheOriginalTheHostOrAFileBefore() throws {
    for text in [schedule(everyThird, everySecond), schedule(adaptive), schedule(forecast)] {
      let graphs = try files(text, .split)
      let form = try #require(graphs.manifest.form)
      var known = Set(form.inputs + graphs.manifest.controls + graphs.manifest.state.map(\.input))
      for part in try #require(form.parts) {
        for name in [part.file, part.compute, part.reuse].compactMap({ $0 }) {
          let file = try #require(form.graphs.first { $0.file == name })
          #expect(Set(file.inputs).isSubset(of: known), "\(name)")
        }
        for name in [part.file, part.compute].compactMap({ $0 }) {
          known.formUnion(try #require(form.graphs.first { $0.file == name }).outputs)
        }
      }
    }
  }
}
