import ScheduleLanguage
import Testing

@Suite struct BlockSetTests {
  @Test(arguments: [
    ("blocks[0, 2-7, 10..]", 12, [0, 2, 3, 4, 5, 6, 7, 10, 11]),
    ("blocks[-1]", 30, [29]),
    ("blocks[-3..]", 30, [27, 28, 29]),
    ("blocks[5-5]", 6, [5]),
    ("blocks[7, 0]", 8, [0, 7]),
    ("blocks[0..]", 1, [0]),
    ("blocks[0-3] + blocks[2-5]", 6, [0, 1, 2, 3, 4, 5]),
    ("stack", 3, [0, 1, 2]),
  ])
  func aSetMeansTheseBlocks(_ site: String, _ count: Int, _ expected: [Int]) throws {
    let rule = try #require(try schedule(caching: site).rules.first)
    #expect(try rule.site.resolve(in: BlockLayout(blockCount: count)) == expected)
  }

  @Test(arguments: [
    (
      "blocks[37-38]", 30,
      "blocks[37-38] reaches past the model's last block: it has 30 blocks (0-29)"
    ),
    (
      "blocks[29-30]", 30,
      "blocks[29-30] reaches past the model's last block: it has 30 blocks (0-29)"
    ),
    (
      "blocks[10..]", 10, "blocks[10..] reaches past the model's last block: it has 10 blocks (0-9)"
    ),
    ("blocks[-5..]", 4, "blocks[-5..] reaches past the model's first block: it has 4 blocks (0-3)"),
    ("blocks[1]", 1, "blocks[1] reaches past the model's last block: it has 1 block (0)"),
    ("blocks[5, -1]", 6, "blocks[-1] lists block 5 again"),
    ("dual[0]", 6, "the model has no block family 'dual'; its families are 'blocks'"),
    ("stack", 0, "'stack' means no block: the model has 0"),
  ])
  func g5_g11_aSetThatDoesNotFitSaysBothNumbers(
    _ site: String, _ count: Int, _ message: String
  ) throws {
    let schedule = try schedule(caching: site)
    let error = #expect(throws: ScheduleError.self) {
      try schedule.resolve(in: BlockLayout(blockCount: count), steps: 8)
    }
    #expect(error?.diagnostics.map(\.problem.message) == [message])
  }

  @Test func familiesAreAddressedByNameByAliasAndTogether() throws {
    let layout = BlockLayout(
      families: ["joint", "joint", "one", "one", "one"], aliases: ["dual": "joint"])
    let expected = ["joint[1]": [1], "dual[0..]": [0, 1], "one[-1]": [4], "blocks[1-2]": [1, 2]]
    for (site, positions) in expected {
      let rule = try #require(try schedule(caching: site).rules.first)
      #expect(try rule.site.resolve(in: layout) == positions)
    }
    let resolved = try schedule(caching: "blocks[0-3]").resolve(in: layout, steps: 4)
    #expect(resolved.rules[0].runs == [0...1, 2...3])
    #expect(layout.familyNames == ["joint", "one"])
  }

  @Test func anUnknownFamilySuggestsTheNearestOne() throws {
    let schedule = try schedule(caching: "sigle[0]")
    let layout = BlockLayout(families: ["a", "b"], aliases: ["single": "b"])
    let error = #expect(throws: ScheduleError.self) {
      try schedule.resolve(in: layout, steps: 2)
    }
    #expect(error?.hint == "did you mean 'single'?")
    #expect(error?.code == "unknown-block-family")
  }

  @Test func runsAreMaximalAndEndWhereBlocksAreMissing() throws {
    let resolved = try schedule(caching: "blocks[0, 2-7, 10-20, 25-32, 37-38]")
      .resolve(in: BlockLayout(blockCount: 40), steps: 50)
    #expect(resolved.rules[0].runs == [0...0, 2...7, 10...20, 25...32, 37...38])
    #expect(resolved.rules[0].positions.count == 28)
  }

  @Test func g11_everyMisfitOfAScheduleIsReportedAtOnceWithItsPlace() throws {
    let schedule = try schedule(
      """
      schedule two for any {
        cache blocks[0-9] as a { keep delta refresh every 2 }
        cache blocks[2-3] as b { keep delta refresh at [1, 60] }
        cache blocks[1-2] as c { keep delta refresh every 2 }
      }
      """)
    let error = #expect(throws: ScheduleError.self) {
      try schedule.resolve(in: BlockLayout(blockCount: 5), steps: 50)
    }
    #expect(
      error?.diagnostics.map(\.headline) == [
        "test.dcs:2:16: error: blocks[0-9] reaches past the model's last block: "
          + "it has 5 blocks (0-4)",
        "test.dcs:3:54: error: step 60 is past the last step: the run has 50 steps (0-49)",
        "test.dcs:4:9: error: rules 'b' and 'c' both cache block 2",
      ])
  }
}
