import CacheRewrite
import DiTCache
import Foundation
import GraphIR
import Tensors
import TestSupport
import Testing

@Suite("rewrite --check") struct RewriteCheckTests {
  private let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory
      .appending(path: "ditcache-check-\(UInt64.random(in: 0 ... .max))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  private func path(_ name: String) -> String {
    folder.appending(path: name).path(percentEncoded: false)
  }

  private func task(
    _ model: String = "wan_opset23", clause: String = "", dimensions: [String: Int] = [:]
  ) throws -> RewriteTask {
    let schedule = path("schedule.dcs")
    try """
    schedule test for any {
      steps 4
      cache stack {
        keep delta\(clause)
        warmup_steps 1
        refresh every 2
      }
    }

    """.write(toFile: schedule, atomically: true, encoding: .utf8)
    return try RewriteTask(
      model: LoadedModel(Fixtures.corpus("\(model).onnx"), dimensions: dimensions),
      schedule: schedule)
  }

  /// A rewrite whose lowered graph somebody broke.
  private func broken(_ change: (inout Graph) -> Void) throws -> RewriteTask {
    let honest = try task()
    var graph = honest.result.cached.graph
    change(&graph)
    return RewriteTask(
      model: honest.model,
      result: RewriteJob.Result(
        cached: honest.result.cached.replacingGraph(with: graph),
        uncached: honest.result.uncached, legalization: [], schedule: honest.result.schedule,
        blockCount: honest.blockCount),
      schedule: path("schedule.dcs"))
  }

  /// The claims that do not hold, by the number of the claim.
  private func failures(of task: RewriteTask) throws -> [Int] {
    let staged = try task.stage(to: path("cached.onnx"))
    let check = try staged.check(inputsPath: nil, threads: 2)
    let failures = check.claims.indices.filter { !check.claims[$0].holds }
    #expect(check.holds == failures.isEmpty)
    return failures
  }

  /// Replaces operators inside a branch of the only `If`.
  private static func change(
    _ branch: String, _ edit: @escaping @Sendable (inout Graph) -> Void
  ) -> @Sendable (inout Graph) -> Void {
    { graph in
      guard let id = graph.order.first(where: { graph[$0].op == "If" }) else { return }
      var node = graph[id]
      for position in node.attributes.indices where node.attributes[position].name == branch {
        guard case .graph(var subgraph) = node.attributes[position].value else { continue }
        edit(&subgraph.graph)
        node.attributes[position].value = .graph(subgraph)
      }
      graph.replace(id, with: node)
    }
  }

  private static func swap(
    _ old: OpKey, for new: OpKey, last: Bool
  ) -> @Sendable (inout Graph) -> Void {
    { graph in
      let all = graph.order.filter { graph[$0].op == old }
      guard let id = last ? all.last : all.first else { return }
      var node = graph[id]
      node.op = new
      node.origin = nil
      graph.replace(id, with: node)
    }
  }

  @Test("an honest rewrite passes, on given sizes too")
  func honest() throws {
    #expect(try failures(of: try task()).isEmpty)
    #expect(try failures(of: try task("wan_dyn", dimensions: ["s47": 3])).isEmpty)
  }

  @Test(
    "what systems keep and reuse is what their expressions say",
    arguments: [
      ("hunyuan", "dicache-hunyuan", 12), ("hunyuan", "pab-hunyuan-all", 12),
      ("hunyuan", "fastercache-hunyuan-all", 50), ("wan", "dicache-wan", 12),
      ("wan", "meancache-wan", 50), ("wan", "pab-mlp-wan", 50), ("wan", "magcache-wan-1-3b", 12),
    ])
  func systems(_ model: String, _ schedule: String, _ steps: Int) throws {
    let task = try RewriteTask(
      model: LoadedModel(Fixtures.corpus("\(model).onnx")), schedule: schedule, steps: steps)
    #expect(try failures(of: task).isEmpty)
  }

  @Test("attention that shares a projection with an mlp is a site by itself")
  func parallelAttention() throws {
    let task = try RewriteTask(
      model: LoadedModel(Fixtures.corpus("hunyuan.onnx")), schedule: "pab-hunyuan-all", steps: 12)
    #expect(
      task.result.cached.plan.sites.map(\.name) == (0..<2).map { "transformer_blocks.\($0).attn" }
        + (0..<6).map { "single_transformer_blocks.\($0).self_attention" })
  }

  @Test("a delta that is one step of a float away from the difference fails the claim about slots")
  func inexactSlot() throws {
    let task = try broken(
      Self.change("then_branch") { graph in
        guard let id = graph.order.last(where: { graph[$0].op == "Sub" }),
          let delta = graph[id].outputs[0]
        else { return }
        var node = graph[id]
        let exact = graph.makeValue("exact", type: graph.type(of: delta))
        node.outputs = [exact]
        graph.replace(id, with: node)
        let factor = graph.constant([Float(1).nextUp], shape: .scalar, name: "nearly_one")
        graph.append(Node("Mul", name: "nearly", inputs: [exact, factor], outputs: [delta]))
      })
    #expect(try failures(of: task) == [2])
  }

  @Test("a reuse that subtracts the delta fails the claim about expressions")
  func wrongReuse() throws {
    let task = try broken(Self.change("else_branch", Self.swap("Add", for: "Sub", last: true)))
    #expect(try failures(of: task) == [4])
  }

  @Test("blocks that compute something else fail the claim about the original, and its followers")
  func wrongBody() throws {
    let task = try broken(Self.change("then_branch", Self.swap("Add", for: "Sub", last: false)))
    let failures = try failures(of: task)
    #expect(failures.starts(with: [0, 1, 2]))
  }

  @Test("a slot that holds a sum in place of the difference fails the claim about slots")
  func wrongSlot() throws {
    let task = try broken(Self.change("then_branch", Self.swap("Sub", for: "Add", last: true)))
    let failures = try failures(of: task)
    #expect(failures.first == 2)
  }

  @Test("a cache that never fires fails the claim about skipping")
  func neverFires() throws {
    let task = try broken { graph in
      guard let id = graph.order.first(where: { graph[$0].op == "If" }),
        let report = graph.order.first(where: {
          graph[$0].op == "Reshape" && graph[$0].name.text.hasPrefix("ditcache/computed")
        })
      else { return }
      let always = graph.constant([true], shape: .scalar, name: "always")
      for node in [id, report] {
        var facts = graph[node]
        facts.inputs[0] = always
        graph.replace(node, with: facts)
      }
    }
    #expect(try failures(of: task).contains(3))
  }

  @Test("nothing has the output's name before commit, and what had it stays")
  func staging() throws {
    let output = path("cached.onnx")
    try Data("old".utf8).write(to: URL(filePath: output))
    do {
      let staged = try task().stage(to: output)
      #expect(try staged.check(inputsPath: nil, threads: 2).holds)
      #expect(FileManager.default.contents(atPath: output) == Data("old".utf8))
    }
    #expect(FileManager.default.contents(atPath: output) == Data("old".utf8))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: path("")).sorted()
        == ["cached.onnx", "schedule.dcs"])
    try task().stage(to: output).commit()
    #expect(try LoadedModel(output).manifest != nil)
  }

  @Test("a failed check is exit status 1")
  func status() {
    let error = UsageError.checkFailed("check-failed", at: "x", "it does not hold")
    #expect(ExitStatus(error).rawValue == 1)
  }

  @Test("streams of half precision are checked in their type", arguments: ["wan_fp16", "wan_bf16"])
  func half(model: String) throws {
    #expect(try failures(of: try task(model)).isEmpty)
    #expect(try failures(of: try task(model, clause: " as float32")).isEmpty)
  }

  @Test("slots stored in half precision are checked as they are stored")
  func storedHalf() throws {
    #expect(try failures(of: try task(clause: " as bfloat16")).isEmpty)
  }
}
