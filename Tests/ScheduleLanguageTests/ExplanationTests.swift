import Catalogue
import ScheduleLanguage
import TestSupport
import Testing

@Suite struct ExplanationTests {
  @Test func theGridOfOneFamilyShowsStepsAndFractions() throws {
    let schedule = try bundled("profiling-wan-14b")
    let resolved = try schedule.resolve(in: BlockLayout(blockCount: 40))
    #expect(GoldenText.difference(of: resolved.explanation, from: "explain-wan.txt") == nil)
    #expect(abs(resolved.computedFraction - 0.496) < 1e-12)
  }

  @Test func theGridOfTwoFamiliesNamesThem() throws {
    let layout = BlockLayout(
      families: Array(repeating: "transformer_blocks", count: 20)
        + Array(repeating: "single_transformer_blocks", count: 40),
      aliases: ["dual": "transformer_blocks", "single": "single_transformer_blocks"])
    let resolved = try bundled("profiling-hunyuan").resolve(in: layout)
    #expect(GoldenText.difference(of: resolved.explanation, from: "explain-hunyuan.txt") == nil)
  }

  @Test func withoutAModelEachRuleIsARow() throws {
    let text = try bundled("profiling-hunyuan").explanation()
    #expect(GoldenText.difference(of: text, from: "explain-rules.txt") == nil)
  }

  @Test func aLongRunIsDrawnInPanels() throws {
    let text = try schedule(caching: "stack").explanation(steps: 250)
    let lines = text.split(separator: "\n")
    #expect(lines.count { $0.contains("step  ") } == 3)
    #expect(lines.allSatisfy { $0.count <= 120 })
  }

  private func bundled(_ name: String) throws -> Schedule {
    let entry = try #require(Catalogue.schedules.first { $0.name == name })
    return try schedule(entry.text)
  }
}
