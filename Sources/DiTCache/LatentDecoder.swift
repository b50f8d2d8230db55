import GraphIR
import Interpreter
import OnnxFile
public import Tensors

/// A model that turns latents into pixels, such as the decoder of a VAE.
///
/// It has one input, latents (B, C, F, H, W) or (B, C, H, W), and an output of as many axes with one
/// or three channels, in [−1, 1].
public struct LatentDecoder: Sendable {
  private let model: LoadedModel
  private let scaling: Scaling
  private let options: EngineOptions

  /// How a decoder's latents follow from a transformer's: `latents · deviation + mean`.
  ///
  /// Wan's `latents_std` and `latents_mean` have a number for each channel; others have a
  /// `scaling_factor`, which is 1 / deviation, and a `shift_factor`, which is the mean
  /// (github.com/huggingface/diffusers, the pipelines' last lines before `vae.decode`).
  public struct Scaling: Hashable, Sendable {
    /// One number, or one for each channel.
    public var mean: [Double]
    /// One number, or one for each channel.
    public var deviation: [Double]

    /// Numbers as options give them, separated by commas; nil leaves the latents as they are.
    public init(mean: String? = nil, deviation: String? = nil) throws(UsageError) {
      self.mean = try Self.numbers(mean, "--latents-mean") ?? [0]
      self.deviation = try Self.numbers(deviation, "--latents-std") ?? [1]
    }

    private static func numbers(
      _ text: String?, _ option: String
    ) throws(UsageError) -> [Double]? {
      guard let text else { return nil }
      let words = text.split(separator: ",", omittingEmptySubsequences: false)
      let numbers = words.compactMap { Double($0.filter { $0 != " " }) }.filter(\.isFinite)
      guard !numbers.isEmpty, numbers.count == words.count else {
        throw UsageError(
          "bad-number", at: "\(option) \(text)", "numbers separated by commas were expected")
      }
      return numbers
    }
  }

  /// A decoder of latents that are scaled first.
  public init(_ model: LoadedModel, scaling: Scaling, threads: Int, memory: Int? = nil) {
    self.model = model
    self.scaling = scaling
    options = EngineOptions(
      threads: threads, memoryByteCount: memory ?? EngineOptions.availableMemory)
  }

  /// The pixels of some samples, decoded one after another unless the model has a batch of its own.
  ///
  /// - Parameter latents: (B, C, …)
  /// - Returns: (B, 1 or 3, …), as many axes
  /// - Throws: `UsageError` for a model of another kind, or what running it throws
  public func pixels(of latents: Tensor) throws -> Tensor {
    try model.file.requireWeights()
    let engine = try Engine(model.measured, options: options)
    let input = try self.input(for: latents)
    let scaled = try scaled(latents)
    let samples = latents.shape[0]
    let batch = model.measured.tensorType(of: input)?.shape?.first?.value ?? 1
    guard batch > 0, samples.isMultiple(of: batch) else {
      throw UsageError(
        "batch-mismatch", at: model.file.path,
        "\(samples) samples cannot be split into runs of the decoder's batch \(batch)")
    }
    var parts: [Tensor] = []
    for first in stride(from: 0, to: samples, by: batch) {
      let shape = try Shape([batch] + latents.shape.dimensions.dropFirst())
      let part = scaled.view(
        shape: shape, strides: scaled.strides, offset: scaled.offset + first * scaled.strides[0])
      let name = model.measured.name(of: input)
      let results = try engine.run(try engine.converted([name: part]), trace: nil)
      parts.append(try output(of: results, like: latents))
    }
    let numbers = parts.flatMap { $0.elements(as: Float.self) }
    return Tensor(
      numbers, shape: try Shape([samples] + (parts.first?.shape.dimensions.dropFirst() ?? [])))
  }

  private func input(for latents: Tensor) throws -> ValueID {
    let inputs = model.measured.requiredInputs
    guard let input = inputs.first, inputs.count == 1 else {
      let names = inputs.map { "'\(model.measured.name(of: $0))'" }.joined(separator: ", ")
      throw UsageError.unsupported(
        "not-a-decoder", at: model.file.path, "a decoder has one input, this model has \(names)")
    }
    if let rank = model.measured.tensorType(of: input)?.shape?.count, rank != latents.rank {
      throw UsageError(
        "not-a-decoder", at: model.file.path,
        "its input has \(rank) axes, the latents \(latents.shape) have \(latents.rank)")
    }
    return input
  }

  private func scaled(_ latents: Tensor) throws -> Tensor {
    let channels = latents.shape[1]
    for (numbers, option) in [
      (scaling.mean, "--latents-mean"), (scaling.deviation, "--latents-std"),
    ] where ![1, channels].contains(numbers.count) {
      throw UsageError(
        "bad-number", at: option,
        "\(numbers.count) numbers do not fit \(channels) channels of latents")
    }
    let size = latents.elementCount / max(1, latents.shape[0] * channels)
    let numbers = latents.elements(as: Float.self).enumerated().map { index, number in
      let channel = index / size % channels
      let mean = scaling.mean[scaling.mean.count == 1 ? 0 : channel]
      let deviation = scaling.deviation[scaling.deviation.count == 1 ? 0 : channel]
      return Float(Double(number) * deviation + mean)
    }
    return Tensor(numbers, shape: latents.shape)
  }

  private func output(of results: [Name: Tensor], like latents: Tensor) throws -> Tensor {
    for output in model.measured.outputs {
      guard let tensor = results[model.measured.name(of: output)],
        tensor.dataType.isFloatingPoint, tensor.rank == latents.rank,
        [1, 3].contains(tensor.shape[1])
      else { continue }
      return try tensor.asFloat32()
    }
    throw UsageError.unsupported(
      "not-a-decoder", at: model.file.path,
      "no output has \(latents.rank) axes and one or three channels")
  }
}
