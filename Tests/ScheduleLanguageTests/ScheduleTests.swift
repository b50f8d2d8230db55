import CachePolicies
import ScheduleLanguage
import Testing

@Suite struct ScheduleTests {
  @Test func rulesAreNamedByTheTextOrAfterTheirSites() throws {
    let schedule = try schedule(
      """
      schedule names for wan {
        let background = dual[0-1]
        cache background { keep delta refresh every 2 }
        cache blocks[4] as late { keep delta refresh every 2 }
        cache blocks[5] { keep delta refresh every 2 }
        cache blocks[6] { keep delta refresh every 2 }
        cache single[0] + dual[5] { keep delta refresh every 2 }
        cache "model.layers"[0] { keep delta refresh every 2 }
      }
      """)
    #expect(
      schedule.rules.map(\.name) == [
        "background", "late", "blocks", "blocks-2", "single-and-dual", "model-layers",
      ])
    #expect(schedule.adapter == "wan")
    #expect(schedule.steps == nil)
    #expect(schedule.rules[4].site.text == "single[0] + dual[5]")
  }

  @Test func namesNeverCollideWithThoseMadeFromSites() throws {
    let schedule = try schedule(
      """
      schedule names for any {
        cache blocks[0] { keep delta refresh every 2 }
        cache blocks[1] as blocks-2 { keep delta refresh every 2 }
        cache blocks[2] { keep delta refresh every 2 }
      }
      """)
    #expect(schedule.rules.map(\.name) == ["blocks", "blocks-2", "blocks-3"])
  }

  @Test func theRunsStepCountIsTheHostsOrTheSchedules() throws {
    let open = try schedule(caching: "stack")
    let fixed = try schedule(
      "schedule fixed for any { steps 50 cache stack { keep delta refresh every 2 } }")
    #expect(try open.stepCount(host: 12) == 12)
    #expect(try fixed.stepCount(host: nil) == 50)
    #expect(try fixed.stepCount(host: 50) == 50)
    let missing = #expect(throws: ScheduleError.self) { try open.stepCount(host: nil) }
    #expect(missing?.message == "schedule 'test' does not say how many steps a run has")
    let other = #expect(throws: ScheduleError.self) { try fixed.stepCount(host: 12) }
    #expect(other?.message == "schedule 'fixed' is made for 50 steps, but the run has 12")
    let none = #expect(throws: ScheduleError.self) { try open.stepCount(host: 0) }
    #expect(none?.message == "a run has 1 to 10000 steps, not 0")
  }

  @Test func aRuleSaysWhatItReusesAndWhenAsExpressions() throws {
    let rule = try #require(
      try schedule(
        """
        schedule e for any {
          cache stack { keep delta as bfloat16 warmup_steps 6 cooldown_steps 2 refresh every 6 }
        }
        """
      ).rules.first)
    #expect(
      rule.decision.description
        == "step < 6 or step >= steps - 2 or step >= 6 and (step - 6) mod 6 == 0")
    #expect(rule.decision.isStatic)
    #expect(rule.reuse.value.description == "input + delta")
    #expect(rule.reuse.slots.map(\.computed?.description) == ["output - input"])
    #expect(rule.reuse.slots.map(\.storage) == [.bfloat16])
    #expect(rule.clauses.map(\.text).first == "keep delta as bfloat16")
  }

  @Test func adaptersSayTheRolesOfInputs() throws {
    let document = try ScheduleDocument.reading(
      SourceFile(
        path: "a.dcs",
        text: """
          adapter mochi { latents hidden_states  timestep timestep  text encoder_hidden_states
            guidance batched  shift 3 }
          adapter flux {
            latents hidden_states
            timestep timestep times 1
            text encoder_hidden_states
            pooled pooled_projections
            extra img_ids, txt_ids
            guidance embedded in guidance times 1000
            guidance_scale 3.5
            alias dual transformer_blocks
            families transformer_blocks
          }
          """), with: .standard)
    let mochi = try #require(document.adapters.first)
    #expect(mochi.inputs == ["hidden_states", "timestep", "encoder_hidden_states"])
    #expect(mochi.guidance == .batched)
    #expect((mochi.shift, mochi.timestepMultiplier, mochi.steps) == (3, 1000, nil))
    let flux = try #require(document.adapters.last)
    #expect(flux.guidance == .embedded(input: "guidance", multiplier: 1000))
    #expect(flux.extras == ["img_ids", "txt_ids"])
    #expect(flux.timestepMultiplier == 1)
    #expect(flux.guidanceScale == 3.5)
    #expect(flux.aliases == ["dual": "transformer_blocks"])
    #expect(flux.inputs.last == "guidance")
  }

  @Test func theFirstCommentLineOfAFileIsItsSummary() throws {
    let text =
      "# What it is for.\n# More.\nschedule a for any { cache stack { keep delta refresh every 2 } }"
    let document = ScheduleDocument(
      checking: SourceFile(path: "a.dcs", text: text), with: .standard)
    #expect(document.summary == "What it is for.")
  }

  @Test func aProblemInALetDoesNotMakeItsUsesWrong() {
    #expect(
      messages(
        "schedule a for any { let b = blocks[3-1]\n cache b { keep delta refresh every 2 } }")
        == ["the range 3-1 runs backwards"])
  }

  @Test func helpIsMadeFromTheTableOfPrimitives() {
    let help = Vocabulary.standard.helpText
    #expect(help.contains("keep delta [as STORAGE]"))
    #expect(help.contains("float32 | float16 | bfloat16"))
    #expect(help.contains("refresh at [STEP, …]"))
    #expect(help.contains("0 to 10000; in scheduler steps"))
    #expect(Vocabulary.standard.clauses.allSatisfy { $0.summary.hasSuffix(".") })
  }
}
