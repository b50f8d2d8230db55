import Diffusion
import GraphIR
import ScheduleLanguage
import Tensors

extension NoiseTable {
  /// The noise levels of a file: `sigmas` (S + 1, last 0) and `timesteps` (S; without them 1000 ·
  /// sigma), as `sample --inputs` takes them.
  init(levelsOf path: String) throws {
    var arrays: [String: Tensor] = [:]
    for (name, tensor) in try RunJob.arrays(of: path) { arrays[name.text] = tensor }
    let levels = try SampleInputs.levels(of: arrays)
    self.init(timesteps: levels.timesteps, sigmas: levels.sigmas)
  }
}
