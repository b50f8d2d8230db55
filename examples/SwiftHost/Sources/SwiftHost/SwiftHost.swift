import DiTCache
import Diffusion
import Foundation
import TensorFiles
import Tensors

/// `SwiftHost MODEL INPUTS.npz FOLDER`: denoises and writes each step's latents to FOLDER as it comes.
@main struct SwiftHost {
  static func main() async throws {
    let arguments = CommandLine.arguments.dropFirst()
    guard let path = arguments.first, let folder = arguments.last, arguments.count == 3 else {
      print("usage: SwiftHost MODEL INPUTS.npz FOLDER")
      exit(64)
    }
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      let arrays = try RunJob.arrays(of: arguments[arguments.startIndex + 1])
      let inputs = try SampleInputs(
        arrays: Dictionary(uniqueKeysWithValues: arrays.map { ($0.key.text, $0.value) }))
      let model = try CachedModel(path)
      for try await step in model.denoise(inputs) {
        let flags = step.computed.flatMap { $0 }
        print("step \(step.number) computed \(flags.count { $0 }) of \(flags.count)")
        try NPY.write(step.latents, to: "\(folder)/step-\(step.number).npy")
      }
    } catch let error as any ReportedError {
      print("\(error.place): \(error.message)")
      exit(1)
    }
  }
}
