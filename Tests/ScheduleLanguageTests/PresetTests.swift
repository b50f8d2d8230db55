import ScheduleLanguage
import Testing

@Suite("Presets and other numbers of steps") struct PresetTests {
  private let text = """
    schedule test for any {
      steps 50
      parameter threshold in 0 to 1 = 0.1
      parameter most in 1 to 9 = 2
      preset fast { threshold 0.2 }
      preset ultra { threshold 0.3 most 4 }
      cache stack { keep delta compute unless mean(latents) < threshold and elapsed < most }
    }

    """

  @Test("a preset gives its parameters values and leaves the others")
  func values() throws {
    let schedule = try schedule(text)
    #expect(schedule.presets.map(\.name) == ["fast", "ultra"])
    #expect(try schedule.applying(preset: "fast").parameters.map(\.defaultValue) == [0.2, 2])
    #expect(try schedule.applying(preset: "ultra").parameters.map(\.defaultValue) == [0.3, 4])
    #expect(schedule.parameters.map(\.defaultValue) == [0.1, 2])
  }

  @Test("an unknown preset is answered with those there are")
  func unknown() throws {
    let schedule = try schedule(text)
    let near = #expect(throws: ScheduleError.self) { try schedule.applying(preset: "fasst") }
    #expect(near?.message == "schedule 'test' has no preset 'fasst'")
    #expect(near?.hint == "did you mean 'fast'?")
    let far = #expect(throws: ScheduleError.self) { try schedule.applying(preset: "slow") }
    #expect(far?.hint == "it has fast, ultra")
  }

  @Test("what is wrong with a preset is said at its place")
  func wrong() {
    let found = messages(
      """
      schedule test for any {
        parameter threshold in 0 to 1 = 0.1
        preset fast { threshold 2 treshold 0.1 threshold 0.2 }
        preset fast { threshold 0.1 }
        preset slow { threshold step }
        cache stack { keep delta refresh every 2 }
      }
      """)
    #expect(
      found == [
        "'threshold' takes 0.0 to 1.0, not 2.0", "the schedule has no parameter 'treshold'",
        "'threshold' is given twice", "there is a preset 'fast' already",
        "a preset gives its parameters plain numbers",
      ])
  }

  @Test("with 'resample' a list is stretched over another number of steps")
  func resampled() throws {
    let schedule = try schedule(
      """
      schedule test for any {
        steps 50
        resample
        cache stack { keep delta refresh at [6, 18, 26, 32, 38, 42, 46, 48] warmup_steps 2 }
      }
      """)
    let layout = BlockLayout(blockCount: 4)
    let own = try schedule.resolve(in: layout)
    #expect(own.rules[0].table.computedSteps == [0, 1, 6, 18, 26, 32, 38, 42, 46, 48])
    // round(k * 24 / 49)
    let short = try schedule.resolve(in: layout, steps: 25)
    #expect(short.rules[0].table.computedSteps == [0, 3, 9, 13, 16, 19, 21, 23, 24])
    #expect(short.rules[0].rule.isStatic)
    #expect(try schedule.resolve(in: layout, steps: 1).rules[0].table.computedSteps == [0])
  }

  @Test("what cannot be stretched is refused with the reason")
  func refused() throws {
    func message(_ body: String) throws -> String? {
      let schedule = try schedule(
        "schedule test for any { steps 50 resample cache stack { keep delta \(body) } }")
      let error = #expect(throws: ScheduleError.self) {
        try schedule.resolve(in: BlockLayout(blockCount: 4), steps: 25)
      }
      return error?.message
    }
    #expect(
      try message("compute unless mean(latents) < 3")
        == "rule 'stack' decides during the run, so its numbers are for 50 steps")
    #expect(
      try message("refresh every 4 forecast taylor order 1 from 3")
        == "what rule 'stack' reuses depends on the step, as it is in 50 steps")
    #expect(
      messages("schedule test for any { resample cache stack { keep delta refresh every 2 } }")
        == ["'resample' needs 'steps N', the run that the lists were made for"])
  }

  @Test("a list for another number of steps is read at the nearest place")
  func perStep() throws {
    let rule = try #require(
      try schedule(
        """
        schedule test for any {
          steps 9
          let list = [0, 1, 2, 3, 4]
          cache stack { keep delta compute when per_step(list) == 2 }
        }
        """
      ).rules.first)
    // numpy.round(numpy.arange(9) * 4 / 8) is 2 at steps 3, 4 and 5.
    #expect(try rule.stepTable(steps: 9).computedSteps == [0, 3, 4, 5])
    #expect(try rule.stepTable(steps: 1).computedSteps == [0])
  }
}
