import Diffusion
import Interpreter
import Profiling
import Quality
import Tensors

/// One run of a probed model, reduced to what a profile needs.
struct ProfiledRun {
  /// Attention of each step, block and token of the latents, in the step's last call: the
  /// conditional one.
  let received: [[[Float]]]
  /// The model's output after guidance at each step, (C, F, H, W) or (C, H, W).
  let predictions: [Tensor]
  /// The latents before each step, of the same shape.
  let latents: [Tensor]

  init(
    _ recording: Recording, guidance: Double?, calls: [[[Float]]], layout: LatentLayout
  ) throws {
    let branches = recording.branches.count
    let steps = recording.modelOutputs.shape[0]
    guard calls.count == steps * branches else {
      throw UsageError(
        "several-groups", at: "--inputs", "a profile takes one sample a run", category: .usage)
    }
    received = (0..<steps).map { calls[$0 * branches + branches - 1] }
    let isBatched = recording.branches == ["batched"]
    let samples = (0..<steps).map { recording.latents.entry($0).entry(0) }
    let latentShape = samples.first?.shape
    latents = try samples.map { try layout.planes($0) }
    predictions = try (0..<steps).map { step in
      let outputs = recording.modelOutputs.entry(step)
      let parts =
        isBatched
        ? [outputs.entry(0).entry(0), outputs.entry(0).entry(1)]
        : (0..<branches).map { outputs.entry($0).entry(0) }
      return try layout.planes(Self.guided(parts, scale: guidance, shape: latentShape))
    }
  }

  /// `uncond + g · (cond − uncond)` without a second half of channels that is a variance.
  private static func guided(
    _ parts: [Tensor], scale: Double?, shape: Shape?
  ) throws -> Tensor {
    let numbers = try parts.map { part in
      let own = try part.asFloat32()
      let channels = shape.map { $0[0] } ?? own.shape[0]
      return own.sliced(axis: 0, first: 0, count: min(channels, own.shape[0])).contiguous()
    }
    guard let first = numbers.first else { throw UsageError("no-calls", at: "run", "no call ran") }
    guard let scale, numbers.count == 2 else { return first }
    let conditional = numbers[1].elements(as: Float.self)
    let mixed = zip(first.elements(as: Float.self), conditional)
      .map { $0 + Float(scale) * ($1 - $0) }
    return Tensor(mixed, shape: first.shape)
  }

  /// mean |v_s − v_{s−1}| / mean |v_{s−1}| from step 1 on.
  ///
  /// Predicted noise is compared as the velocity `v = α·ε − σ·x₀ = (ε − σ·x) / α` that it implies
  /// (Salimans and Ho, arXiv 2202.00512): at high noise ε is nearly the latents themselves and hardly
  /// changes while the clean latents change most.
  func changes(along levels: NoiseLevels, isFlow: Bool) throws -> [Double] {
    let velocities =
      isFlow
      ? predictions
      : try predictions.indices.map { step in
        let sigma = Float(levels.sigmas[step])
        let alpha = max(1 - sigma * sigma, 1e-12).squareRoot()
        let latents = try latents[step].asFloat32().elements(as: Float.self)
        let noise = predictions[step].elements(as: Float.self)
        return Tensor(
          zip(noise, latents).map { ($0 - sigma * $1) / alpha }, shape: predictions[step].shape)
      }
    return try velocities.indices.dropFirst().map {
      try TensorDifference(of: velocities[$0], from: velocities[$0 - 1]).relativeL1
    }
  }

  /// What `--record` writes.
  func arrays(
    mask: ForegroundMask, scores: BlockScores, changes: [Double], levels: NoiseLevels
  ) throws -> [(name: String, tensor: Tensor)] {
    let sizes = [received.count, received[0].count, received[0][0].count]
    let flags = try Shape([mask.frames, mask.rows, mask.columns])
    return [
      ("attention", Tensor(received.flatMap { $0.flatMap { $0 } }, shape: try Shape(sizes))),
      ("scores", Tensor(scores.scores.flatMap { $0 }, shape: try Shape(Array(sizes.prefix(2))))),
      ("focus", Tensor(scores.focus)), ("changes", Tensor(changes)),
      ("sigmas", Tensor(levels.sigmas)), ("mask", Tensor(mask.isForeground, shape: flags)),
      ("predictions", try Self.stacked(predictions)), ("latents", try Self.stacked(latents)),
    ]
  }

  private static func stacked(_ tensors: [Tensor]) throws -> Tensor {
    let numbers = try tensors.flatMap { try $0.asFloat32().elements(as: Float.self) }
    return Tensor(numbers, shape: try Shape([tensors.count] + tensors[0].shape.dimensions))
  }
}

extension Tensor {
  /// The part at an index of the first axis, without that axis.
  func entry(_ index: Int) -> Tensor {
    let part = sliced(axis: 0, first: index, count: 1)
    guard let shape = try? Shape(Array(part.shape.dimensions.dropFirst())) else { return part }
    return part.view(shape: shape, strides: Array(part.strides.dropFirst()))
  }
}
