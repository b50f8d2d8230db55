import Diffusion
import TensorFiles
import Tensors
import TestSupport
import Testing

@Suite("NoiseLevels") struct NoiseLevelsTests {
  @Test(
    "levels are those that the corpus was recorded with",
    arguments: [("wan_traj", 5.0), ("wan_traj_cfg", 5), ("hunyuan_traj", 7)])
  func corpus(file: String, shift: Double) throws {
    let data = try NPZFile(readingFrom: Fixtures.corpus("\(file).npz"))
    let levels = try NoiseLevels(steps: 12, shift: shift)
    for (numbers, key) in [(levels.sigmas, "sigmas"), (levels.timesteps, "timesteps")] {
      let expected = try data.tensor(key).elements(as: Double.self)
      #expect(numbers.count == expected.count)
      for (number, wanted) in zip(numbers, expected) {
        #expect(abs(number - wanted) <= 1e-12 * abs(wanted))
      }
    }
  }

  @Test("without a shift the levels are evenly spaced, from 1 to 0")
  func noShift() throws {
    let levels = try NoiseLevels(steps: 4, shift: 1, timestepMultiplier: 10)
    #expect(levels.sigmas == [1, 0.75, 0.5, 0.25, 0])
    #expect(levels.timesteps == [10, 7.5, 5, 2.5])
    #expect(levels.stepCount == 4)
  }

  @Test(
    "impossible settings are refused",
    arguments: [
      (0, 1.0, "no-steps"), (-3, 1, "no-steps"), (4, 0, "bad-shift"), (4, -1, "bad-shift"),
      (4, .infinity, "bad-shift"), (4, .nan, "bad-shift"),
    ])
  func impossible(steps: Int, shift: Double, code: String) throws {
    let error = try #require(throws: DiffusionError.self) {
      try NoiseLevels(steps: steps, shift: shift)
    }
    #expect(error.code == code)
  }

  @Test("sigmas of a file give timesteps of 1000 times their value")
  func fromFile() throws {
    #expect(try NoiseLevels(sigmas: [1, 0.25, 0]).timesteps == [1000, 250])
    #expect(try NoiseLevels(sigmas: [1, 0.25, 0], timesteps: [7, 3]).timesteps == [7, 3])
  }

  @Test(
    "sigmas that do not end in 0, or are not numbers, are refused",
    arguments: [[], [0], [1, 0.5], [.nan, 0], [.infinity, 0]] as [[Double]])
  func badSigmas(sigmas: [Double]) throws {
    let error = try #require(throws: DiffusionError.self) { try NoiseLevels(sigmas: sigmas) }
    #expect(error.code == "bad-sigmas")
  }

  @Test("timesteps must be one fewer than sigmas, and numbers")
  func badTimesteps() throws {
    for timesteps in [[1000], [1000, 500, 0], [1000, .nan]] {
      let error = try #require(throws: DiffusionError.self) {
        try NoiseLevels(sigmas: [1, 0.5, 0], timesteps: timesteps)
      }
      #expect(error.code == "bad-timesteps")
    }
  }
}
