import ScheduleLanguage
import Testing

/// Decisions that read numbers alone are taken before the run.
@Suite("Decisions known beforehand") struct KnownRunTests {
  private func rule(_ body: String, steps: Int) throws -> (CacheRule, StepTable) {
    let schedule = try schedule(
      "schedule test for any {\n steps \(steps)\n cache stack {\n keep delta\n \(body)\n }\n}\n")
    let resolved = try schedule.resolve(in: BlockLayout(blockCount: 4))
    return (resolved.rules[0].rule, resolved.rules[0].table)
  }

  @Test("ProfilingDiT's Eq. 15 gives the list that its code ships, and needs no slot then")
  func shrinkingInterval() throws {
    let (rule, table) = try rule(
      """
      warmup_steps 6
      slot next = 6
      let interval = 2 * floor((12 - 9 * (step - 6) / (steps - 6)) / 2)
      compute when step == next
      next := if step == next then step + interval else next
      """, steps: 50)
    #expect(!table.isAdaptive)
    #expect(table.computedSteps == Array(0...6) + [18, 26, 32, 38, 42, 46, 48])
    #expect(rule.isStatic && rule.metric == nil)
    #expect(rule.reuse.slots.map(\.name) == ["delta"])
  }

  @Test("MagCache's errors follow from its table of ratios")
  func ratios() throws {
    // github.com/Zehong-Ma/MagCache, magcache_generate.py, worked out in Python for these numbers.
    let (_, table) = try rule(
      """
      let ratios = [1, 0.99, 0.98, 0.97, 0.99, 0.95, 0.98, 0.9, 0.97, 0.99, 0.96, 0.98]
      slot product = 1
      slot skipped = 0
      slot error = 0
      let late = step >= floor(steps * 0.2)
      product := if late then product * ratios[step] else 1, then 1 when computed
      skipped := if late then skipped + 1 else 0, then 0 when computed
      error := if late then error + abs(1 - product) else 0, then 0 when computed
      compute unless late and error < 0.06 and skipped <= 2
      """, steps: 12)
    #expect(!table.isAdaptive)
    #expect(table.computedSteps == [0, 1, 3, 5, 7, 9, 11])
  }

  @Test("an assignment sees those above it, whatever the order of the slots")
  func order() throws {
    let (_, table) = try rule(
      """
      slot later = 0
      slot sooner = 0
      sooner := sooner + 1
      later := 10 * sooner
      compute when later mod 30 == 0
      """, steps: 10)
    #expect(table.computedSteps == [0, 3, 6, 9])
  }

  @Test("counters, and assignments after the site, count as in a run")
  func counters() throws {
    let (_, table) = try rule(
      """
      slot passed = 0
      passed := passed + 1 when reused
      compute when passed == 3 or elapsed > 2
      passed := 0 when computed
      """, steps: 9)
    #expect(table.computedSteps == [0, 3, 6])
  }

  @Test("noise levels make a table of decisions by timestep, and only for that run")
  func noise() throws {
    let schedule = try schedule(
      """
      schedule test for any {
        steps 4
        cache stack { keep delta compute unless 100 < timestep and timestep < 850 and sigma < 0.8 }
      }
      """)
    let layout = BlockLayout(blockCount: 4)
    #expect(try schedule.resolve(in: layout).rules[0].table.isAdaptive)
    #expect(try !schedule.resolve(in: layout).isBoundToLevels)
    let levels = NoiseTable(timesteps: [1000, 810, 500, 90], sigmas: [1, 0.81, 0.5, 0.09, 0])
    let resolved = try schedule.resolve(in: layout, noise: levels)
    #expect(resolved.rules[0].table == StepTable(computed: [true, true, false, true]))
    #expect(resolved.isBoundToLevels)
    let short = NoiseTable(timesteps: [1000], sigmas: [1, 0])
    let error = #expect(throws: ScheduleError.self) {
      try schedule.resolve(in: layout, noise: short)
    }
    #expect(error?.message == "the noise levels are those of 1 steps, the run has 4")
  }

  @Test("what a run decides by stays adaptive")
  func adaptive() throws {
    for body in [
      "slot total = 0\ntotal := total + mean(latents)\ncompute unless total < 3",
      "compute unless branch == 0 and step mod 2 == 1",
      "compute unless timestep < 500",
    ] {
      let (rule, table) = try rule(body, steps: 6)
      #expect(table.isAdaptive, "\(body)")
      #expect(!rule.isStatic)
    }
  }

  @Test("the unconditional call is a row of its own, which no block has")
  func unconditional() throws {
    let text = try schedule(
      """
      schedule test for any {
        steps 10
        cache uncond { keep delta refresh every 5 }
      }
      """
    ).resolve(in: BlockLayout(blockCount: 4)).explanation
    #expect(text.contains("uncond     █····█····  uncond"))
    #expect(text.contains("the unconditional call, 2 of 10 steps computed  20.0 %"))
  }
}
