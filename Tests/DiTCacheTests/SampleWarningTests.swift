import DiTCache
import TestSupport
import Testing

@Suite("Warnings of sample") struct SampleWarningTests {
  private func report(threshold: Double) throws -> SampleReport {
    let folder = try TemporaryFolder()
    let text = """
      schedule strict for wan {
        steps 12
        cache blocks[1..] {
          keep delta
          warmup_steps 2
          refresh unless relative_l1(residual(blocks[0]), since: last_computed) < \(threshold)
        }
      }

      """
    let schedule = try folder.write([UInt8](text.utf8), to: "strict.dcs")
    var request = SampleJob.Request()
    request.inputsPath = Fixtures.oracle("wan_easycache_cfg.npz")
    let task = try SampleTask(
      LoadedModel(Fixtures.corpus("wan.onnx")), schedule: schedule, inputsPath: request.inputsPath,
      threads: 2)
    return try task.run(request, comparing: false)
  }

  @Test("a threshold that never fires is a warning, and each one offered instead does fire")
  func neverFired() throws {
    let strict = try report(threshold: 0.01)
    let site = try #require(strict.sites.first)
    #expect(site.neverFired)
    #expect(site.wouldFire.map(\.steps) == [3, 6])
    #expect(strict.warnings.count == 2)
    let warning = try #require(strict.warnings.last)
    #expect(warning.hasPrefix("rule 'blocks' never reused: its metric was 0.2759 to 0.7851"))
    for firing in site.wouldFire {
      #expect(warning.contains("\(firing.threshold)"))
      let fired = try report(threshold: firing.threshold)
      #expect(fired.warnings.isEmpty)
      let reused = try #require(fired.sites.first).computedSteps.map { 12 - $0.count }
      #expect(reused.allSatisfy { $0 > 0 })
    }
  }
}
