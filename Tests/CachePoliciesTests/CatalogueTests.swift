import CachePolicies
import Catalogue
import ScheduleLanguage
import Testing

@Suite struct CatalogueTests {
  private func document(_ entry: CatalogueEntry) throws -> ScheduleDocument {
    try ScheduleDocument.reading(
      SourceFile(path: entry.fileName, text: entry.text), with: .standard
    ) { name in
      let rule = try #require(Catalogue.rules.first { $0.fileName == name })
      return SourceFile(path: name, text: rule.text)
    }
  }

  private func schedule(_ name: String) throws -> Schedule {
    let entry = try #require(Catalogue.schedules.first { $0.name == name })
    return try #require(try document(entry).schedules.first)
  }

  private func adapter(_ name: String) throws -> AdapterDescription {
    let entry = try #require(Catalogue.adapters.first { $0.name == name })
    return try #require(try document(entry).adapters.first)
  }

  @Test(arguments: Catalogue.schedules + Catalogue.adapters + Catalogue.rules)
  func aShippedFileIsCanonicalNamedAfterItsContentAndSaysWhatItIsFor(
    _ entry: CatalogueEntry
  ) throws {
    let document = try document(entry)
    #expect(document.diagnostics.isEmpty)
    #expect(document.formatted == entry.text)
    #expect(entry.fileName == entry.name + ".dcs")
    #expect(entry.summary.hasSuffix(".") && entry.summary == document.summary)
    let isRules = Catalogue.rules.contains { $0.name == entry.name }
    #expect(document.schedules.count + document.adapters.count == (isRules ? 0 : 1))
  }

  @Test func theListsAreSortedByName() {
    let names = Catalogue.schedules.map(\.name)
    #expect(names == names.sorted())
    #expect(names.contains("profiling-wan-14b") && names.contains("profiling-hunyuan"))
    #expect(
      Catalogue.adapters.map(\.name) == [
        "cogvideox", "dit", "flux", "hunyuan", "ltx", "mochi", "pixart", "sd3", "wan",
      ])
  }

  @Test func wanRefreshesEverySixthStepOnTwentyEightBlocksOfForty() throws {
    let schedule = try schedule("profiling-wan-14b")
    let resolved = try schedule.resolve(in: BlockLayout(blockCount: 40))
    let rule = try #require(resolved.rules.first)
    #expect(resolved.steps == 50)
    #expect(rule.positions.count == 28)
    #expect(
      rule.positions == [0] + Array(2...7) + Array(10...20) + Array(25...32) + [37, 38])
    #expect(rule.runs == [0...0, 2...7, 10...20, 25...32, 37...38])
    #expect(rule.table.computedSteps == Array(0..<6) + [6, 12, 18, 24, 30, 36, 42, 48])
    #expect(rule.table.reusedCount == 36)
    #expect(abs(resolved.computedFraction - 0.496) < 1e-12)
  }

  @Test func hunyuanRunsItsTwoStreamsOnDifferentSteps() throws {
    let adapter = try adapter("hunyuan")
    let layout = BlockLayout(
      families: Array(repeating: "transformer_blocks", count: 20)
        + Array(repeating: "single_transformer_blocks", count: 40), aliases: adapter.aliases)
    let resolved = try schedule("profiling-hunyuan").resolve(in: layout)
    #expect(resolved.rules.map(\.rule.name) == ["background", "dual"])
    let single = resolved.rules[0]
    let listed =
      [0, 2] + Array(4...7) + Array(10...21) + [23] + Array(25...27) + [31, 33]
    #expect(single.positions == listed.map { $0 + 20 })
    #expect(single.positions.count == 24)
    #expect(
      single.runs
        == [0...0, 2...2, 4...7, 10...21, 23...23, 25...27, 31...31, 33...33]
        .map { ($0.lowerBound + 20)...($0.upperBound + 20) })
    #expect(single.table.computedSteps == Array(0...6) + [18, 26, 32, 38, 42, 46, 48])
    let dual = resolved.rules[1]
    #expect(dual.runs == [6...19])
    #expect(dual.table.computedSteps == Array(0...6) + [12, 18, 24, 30, 36, 42, 48])
    #expect(abs(single.table.computedFraction * 24 / 40 + 16 / 40 - 0.568) < 1e-12)
    #expect(abs(dual.table.computedFraction * 14 / 20 + 6 / 20 - 0.496) < 1e-12)
  }

  /// The first and last ratios of MagCache's tables (github.com/Zehong-Ma/MagCache,
  /// MagCache4Wan2.1/magcache_generate.py and MagCache4HunyuanVideo), behind the 1 that its code adds.
  @Test(arguments: [
    ("magcache-wan-1-3b", 50, [1.0124, 0.81838, 1.02213, 0.81939]),
    ("magcache-wan-14b", 50, [1.02504, 0.86111, 1.03017, 0.86189]),
    ("magcache-wan-i2v-480p", 40, [0.98783, 0.92617, 0.98993, 0.92616]),
    ("magcache-wan-i2v-720p", 40, [0.99428, 0.8679, 0.99498, 0.86768]),
    ("magcache-hunyuan-720p", 50, [1.0754, 0.75456]),
    ("magcache-hunyuan-540p", 50, [1.06971, 0.76592]),
  ])
  func magCachesTablesAreThoseOfTheirModels(
    _ name: String, _ count: Int, _ ends: [Double]
  ) throws {
    let lists = try schedule(name).rules.flatMap(\.expressions).flatMap(\.parts)
      .compactMap { part -> [Double]? in
        if case .table(let list, _) = part { list } else { nil }
      }
    #expect(!lists.isEmpty && lists.allSatisfy { $0.count == count && $0[0] == 1 })
    #expect(Set(lists.flatMap { [$0[1], $0[count - 1]] }) == Set(ends))
  }

  @Test func profilingsAblationsTakeTheirListsInTurn() throws {
    let layout = BlockLayout(blockCount: 40)
    let split = try schedule("profiling-wan-14b-split").resolve(in: layout)
    #expect(
      split.rules.map(\.table.computedSteps) == [
        Array(0...6) + [26] + Array(32...49), Array(0...32) + [42, 48],
        Array(0...6) + [26, 32, 42, 48],
      ])
    let alternate = try schedule("profiling-wan-14b-alternate").resolve(in: layout)
    let refreshes = [6, 18, 26, 32, 38, 42, 46, 48]
    for rule in alternate.rules { #expect(Set(rule.table.computedSteps).isSuperset(of: refreshes)) }
    let reused = (0..<50).map { step in
      alternate.rules.map { !$0.table.isComputed(at: step) }
    }
    #expect((7..<50).allSatisfy { refreshes.contains($0) || reused[$0][0] != reused[$0][1] })
    #expect((0..<7).allSatisfy { reused[$0] == [false, false, false] })
  }

  @Test func theWanListOnAModelOfThirtyBlocksSaysBothNumbers() throws {
    let schedule = try schedule("profiling-wan-14b")
    let error = #expect(throws: ScheduleError.self) {
      try schedule.resolve(in: BlockLayout(blockCount: 30))
    }
    #expect(
      error?.message
        == "blocks[25-32] reaches past the model's last block: it has 30 blocks (0-29)")
    #expect(error?.diagnostics.first?.position == SourcePosition(line: 13, column: 42))
  }

  @Test func theGenericSchedulesTakeAnyDepthAndAnyNumberOfSteps() throws {
    for (name, period) in [("every-2", 2), ("every-3", 3), ("every-6", 6)] {
      let resolved = try schedule(name).resolve(in: BlockLayout(blockCount: 10), steps: 50)
      let expected = (0..<50).filter { $0 < 6 || ($0 - 6) % period == 0 }
      #expect(resolved.rules.map(\.table.computedSteps) == [expected])
      #expect(resolved.rules.map(\.runs) == [[0...9]])
    }
  }

  @Test func adaptersNameTheInputsOfTheModels() throws {
    let wan = try adapter("wan")
    #expect(wan.inputs == ["hidden_states", "timestep", "encoder_hidden_states"])
    #expect(wan.guidance == .sequential)
    #expect((wan.shift, wan.guidanceScale, wan.steps) == (5, 5, 50))
    let hunyuan = try adapter("hunyuan")
    #expect(
      hunyuan.inputs == [
        "hidden_states", "timestep", "encoder_hidden_states", "encoder_attention_mask",
        "pooled_projections", "guidance",
      ])
    #expect(hunyuan.guidance == .embedded(input: "guidance", multiplier: 1000))
    #expect(hunyuan.shift == 7)
  }
}
