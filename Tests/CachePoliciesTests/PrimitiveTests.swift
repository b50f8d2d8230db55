import CachePolicies
import ScheduleLanguage
import Testing

/// The first rule of a schedule with some clauses besides `keep delta`.
func rule(_ clauses: String) throws -> CacheRule {
  let text = "schedule t for any { cache stack { keep delta \(clauses) } }"
  let document = try ScheduleDocument.reading(
    SourceFile(path: "t.dcs", text: text), with: .standard)
  return try #require(document.schedules.first?.rules.first)
}

@Suite struct PrimitiveTests {
  @Test(arguments: [
    ("refresh every 1", 5, [0, 1, 2, 3, 4]),
    ("refresh every 3", 10, [0, 3, 6, 9]),
    ("refresh every 99", 10, [0]),
    ("warmup_steps 2 refresh every 3", 10, [0, 1, 2, 5, 8]),
    ("warmup_steps 0 refresh every 4", 10, [0, 4, 8]),
    ("warmup_steps 10 refresh every 4", 10, Array(0..<10)),
    ("refresh at [4, 7]", 10, [0, 4, 7]),
    ("warmup_steps 3 refresh at [7, 4]", 10, [0, 1, 2, 4, 7]),
    ("refresh at [0]", 4, [0]),
    ("refresh every 4 cooldown_steps 2", 11, [0, 4, 8, 9, 10]),
    ("refresh at [5] refresh every 4", 10, [0, 4, 5, 8]),
    ("max_continuous_cached_steps 2", 10, [0, 3, 6, 9]),
    ("warmup_steps 3 max_continuous_cached_steps 1", 8, [0, 1, 2, 4, 6]),
    ("refresh every 4 max_continuous_cached_steps 2", 12, [0, 3, 4, 7, 8, 11]),
    ("refresh every 4 max_cached_steps 4", 12, [0, 4, 6, 7, 8, 9, 10, 11]),
  ])
  func clausesMeanTheseComputedSteps(
    _ clauses: String, _ steps: Int, _ expected: [Int]
  ) throws {
    #expect(try rule(clauses).stepTable(steps: steps).computedSteps == expected)
  }

  @Test func everySmallScheduleAgreesWithTheRuleWrittenOut() throws {
    for warmup in 0...4 {
      for period in 1...5 {
        for cooldown in 0...3 {
          let rule = try rule(
            "warmup_steps \(warmup) refresh every \(period) cooldown_steps \(cooldown)")
          for steps in 4...9 {
            let expected = (0..<steps).map { step in
              step == 0 || step < warmup || steps - step <= cooldown
                || (step - warmup) % period == 0
            }
            #expect(try rule.stepTable(steps: steps).computed == expected)
          }
        }
      }
    }
  }

  @Test func aRunThatIsTooShortIsAProblemThatSaysBothNumbers() throws {
    let warmup = #expect(throws: Problem.self) {
      try rule("warmup_steps 6 refresh every 2").stepTable(steps: 4)
    }
    #expect(warmup?.message == "'warmup_steps' asks for 6 steps, but the run has 4")
    let listed = #expect(throws: Problem.self) {
      try rule("refresh at [2, 50]").stepTable(steps: 50)
    }
    #expect(
      listed?.message == "step 50 is past the last step: the run has 50 steps (0-49)")
    let none = #expect(throws: Problem.self) { try rule("refresh every 2").stepTable(steps: 0) }
    #expect(none?.code == "no-steps")
  }

  @Test func everyPrimitiveIsStaticAndNamedOnce() {
    let keywords = Vocabulary.standard.clauses.map(\.keyword)
    #expect(Set(keywords).count == keywords.count)
    let synonyms = Vocabulary.standard.clauses.flatMap(\.synonyms)
    #expect(Set(synonyms).count == synonyms.count)
    #expect(Set(synonyms).isDisjoint(with: keywords))
  }
}
