import CacheContract
import CacheRewrite
import GraphIR
import Tensors
import Testing

/// A schedule with a rule for the unconditional call, and none or others for the blocks.
@Suite("The unconditional call") struct UnconditionalCallTests {
  private func cached(_ others: String = "") throws -> CachedGraph {
    try ToyTransformer.cached(
      """
      schedule test for any {
        steps 10
        cache uncond { keep delta refresh every 5 }
        \(others)
      }

      """)
  }

  @Test("without rules for blocks the model stays as it is")
  func alone() throws {
    let cached = try cached()
    #expect(cached.graph.text() == ToyTransformer.graph().text())
    #expect(cached.manifest.sites.isEmpty && cached.manifest.controls.isEmpty)
    let call = try #require(cached.unconditionalCall)
    #expect(call.manifest.sites.map(\.name) == ["uncond"])
    #expect(call.manifest.rules.map(\.table) == [(0..<10).map { $0 % 5 == 0 }])
    #expect(
      call.graph.inputs.map { call.graph.name(of: $0).text } == [
        "cond", "uncond", "timestep", "ditcache/step", "ditcache/override",
        "ditcache/uncond/valid", "ditcache/uncond/uncond/delta",
      ])
  }

  @Test("beside rules for blocks it is lowered by itself, of any number of tokens")
  func beside() throws {
    let cached = try cached("cache blocks[1..] { keep delta refresh every 2 }")
    #expect(cached.manifest.rules.map(\.name) == ["blocks"])
    let call = try #require(cached.unconditionalCall)
    #expect(call.manifest.rules.map(\.name) == ["uncond"])
    #expect(call.manifest.branches == nil)
  }

  @Test("its model travels in the manifest")
  func embedded() throws {
    var manifest = try cached().manifest
    #expect(try manifest.unconditionalCall() == nil)
    manifest.embed(unconditionalCall: [1, 2, 250])
    let read = try Manifest(json: try manifest.json())
    #expect(try read.unconditionalCall() == [1, 2, 250])
    var broken = read
    broken.branches?.uncond = "!"
    let error = #expect(throws: ContractError.self) { try broken.unconditionalCall() }
    #expect(error?.code == "broken-manifest")
  }
}
