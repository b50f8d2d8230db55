import Diffusion
import Foundation
import TestSupport
import Testing

/// Every scheduler against diffusers' own on recorded model outputs (`Tests/Fixtures/schedulers`).
@Suite struct SchedulerTests {
  struct Case: Decodable, CustomTestStringConvertible {
    let scheduler: String
    let steps: Int
    let shift: Double
    let sigmas, timesteps: [Double]
    let outputs, latents: [Float]

    var testDescription: String { "\(scheduler), \(steps) steps, shift \(shift)" }
  }

  static let cases: [Case] = {
    let data = try? Data(Fixtures.bytes("schedulers/cases.json"))
    return data.flatMap { try? JSONDecoder().decode([Case].self, from: $0) } ?? []
  }()

  @Test func everySchedulerIsRecorded() {
    #expect(Set(Self.cases.map(\.scheduler)) == Set(SchedulerName.allCases.map(\.rawValue)))
  }

  @Test(arguments: cases) func levelsAreThoseOfDiffusers(recorded: Case) throws {
    let name = try #require(SchedulerName(rawValue: recorded.scheduler))
    let levels = try NoiseLevels(for: name, steps: recorded.steps, shift: recorded.shift)
    #expect(levels.sigmas.count == recorded.sigmas.count)
    #expect(zip(levels.sigmas, recorded.sigmas).allSatisfy { abs($0 - $1) < 1e-6 })
    #expect(zip(levels.timesteps, recorded.timesteps).allSatisfy { abs($0 - $1) < 1e-3 })
  }

  @Test(arguments: cases) func stepsAreThoseOfDiffusers(recorded: Case) throws {
    let name = try #require(SchedulerName(rawValue: recorded.scheduler))
    let levels = try NoiseLevels(for: name, steps: recorded.steps, shift: recorded.shift)
    var scheduler = name.makeScheduler(levels)
    let size = recorded.latents.count / (recorded.steps + 1)
    var latents = Array(recorded.latents[..<size])
    for index in 0..<recorded.steps {
      let output = Array(recorded.outputs[index * size..<(index + 1) * size])
      latents = scheduler.step(output, at: index, from: latents)
      let expected = recorded.latents[(index + 1) * size..<(index + 2) * size]
      let distance = zip(latents, expected).map { abs($0 - $1) }.max() ?? .infinity
      #expect(distance < 1e-4, "step \(index): \(distance)")
    }
  }

  @Test func unipcTakesLevelsThatBeginAtOne() throws {
    let levels = try NoiseLevels(steps: 4, shift: 1)
    var scheduler = SchedulerName.unipc.makeScheduler(levels)
    var latents: [Float] = [1, -2]
    for index in 0..<4 { latents = scheduler.step(latents, at: index, from: latents) }
    #expect(latents.allSatisfy { $0.isFinite })
  }

  @Test func ddimRefusesMoreStepsThanWereTrained() {
    #expect(throws: DiffusionError.self) {
      try NoiseLevels(for: .ddim, steps: 1001, shift: 1)
    }
  }
}
