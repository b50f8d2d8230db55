import Adapters
import Diffusion
import GraphIR
import Interpreter
import OnnxFile
import TensorFiles
import Tensors
import TestSupport
import Testing

/// Whole denoising runs against what PyTorch recorded.
@Suite("Trajectories") struct TrajectoryTests {
  private static let wan = InputRoles(
    latents: "hidden_states", timestep: "timestep", text: ["encoder_hidden_states"],
    guidance: .sequential)

  private static let hunyuan = InputRoles(
    latents: "hidden_states", timestep: "timestep",
    text: ["encoder_hidden_states"], masks: ["encoder_attention_mask"],
    pooled: ["pooled_projections"],
    guidance: .embedded(input: "guidance", multiplier: 1000))

  private func run(
    _ recorded: String, on model: String, _ roles: InputRoles, branches: [String]
  ) throws -> Recording {
    let file = try NPZFile(readingFrom: Fixtures.corpus("\(recorded).npz"))
    var arrays: [String: Tensor] = [:]
    for key in file.keys { arrays[key] = try file.tensor(key) }
    let engine = try Engine(try OnnxModel.read(Fixtures.corpus("\(model).onnx")).graph)
    let recording = try DenoisingLoop(engine, roles: roles).run(try SampleInputs(arrays: arrays))
    #expect(recording.branches == branches)
    return recording
  }

  private func expectEqual(_ recording: Recording, _ recorded: String) throws {
    let file = try NPZFile(readingFrom: Fixtures.corpus("\(recorded).npz"))
    for (key, tensor) in [
      ("model_out", recording.modelOutputs), ("latents", recording.latents),
      ("final", recording.final),
    ] {
      let expected = try file.tensor(key)
      #expect(tensor.elementCount == expected.elementCount)
      let distances = zip(tensor.elements(as: Float.self), expected.elements(as: Float.self))
        .map { abs($0 - $1) }
      #expect(distances.allSatisfy { $0 <= 1e-4 }, "\(key): \(distances.max() ?? 0)")
    }
  }

  @Test("twelve steps of Wan")
  func wanPlain() throws {
    let recording = try run("wan_traj", on: "wan", Self.wan, branches: ["cond"])
    try expectEqual(recording, "wan_traj")
  }

  @Test("twelve guided steps of Wan, both halves in one call")
  func wanGuided() throws {
    let recording = try run("wan_traj_cfg", on: "wan_dyn", Self.wan, branches: ["batched"])
    try expectEqual(recording, "wan_traj_cfg")
  }

  @Test("twelve guided steps of Wan, the halves one after another")
  func wanGuidedInTurn() throws {
    let recording = try run("wan_traj_cfg", on: "wan", Self.wan, branches: ["uncond", "cond"])
    try expectEqual(recording, "wan_traj_cfg")
  }

  @Test("twelve steps of HunyuanVideo, guidance embedded")
  func hunyuanEmbedded() throws {
    let recording = try run("hunyuan_traj", on: "hunyuan", Self.hunyuan, branches: ["cond"])
    try expectEqual(recording, "hunyuan_traj")
  }
}
