import Adapters
import Foundation
import GraphIR
import Interpreter
import OnnxFile
import Tensors

/// A model that turns token numbers into the embeddings that a transformer takes, such as T5.
///
/// Its first output of three axes are the embeddings; its first of two axes, if there is one, the
/// pooled embedding.
public struct TextEncoder: Sendable {
  private let model: LoadedModel
  private let options: EngineOptions

  /// What stands before the names of the unconditional branch's inputs in a file.
  static let unconditionalPrefix = "uncond/"

  /// An encoder.
  public init(_ model: LoadedModel, threads: Int, memory: Int? = nil) {
    self.model = model
    options = EngineOptions(
      threads: threads, memoryByteCount: memory ?? EngineOptions.availableMemory)
  }

  /// The conditioning of a file: `<encoder input>` for the prompt, `uncond/<encoder input>` for the
  /// negative prompt, which is zeros where it is left out.
  func conditioning(of path: String, _ roles: InputRoles) throws -> Conditioning {
    try model.file.requireWeights()
    guard let text = roles.text.first else {
      throw UsageError(
        "no-text", at: "--text-encoder", "the model takes no embeddings of a text")
    }
    let engine = try Engine(model.measured, options: options)
    var ids: [Name: Tensor] = [:]
    var negative: [Name: Tensor] = [:]
    for (name, tensor) in try RunJob.arrays(of: path) {
      if name.text.hasPrefix(Self.unconditionalPrefix) {
        negative[Name(String(name.text.dropFirst(Self.unconditionalPrefix.count)))] = tensor
      } else {
        ids[name] = tensor
      }
    }
    return Conditioning(
      text: try encoded(ids, by: engine, text, roles),
      unconditionalText: negative.isEmpty ? [:] : try encoded(negative, by: engine, text, roles))
  }

  private func encoded(
    _ ids: [Name: Tensor], by engine: Engine, _ text: Name, _ roles: InputRoles
  ) throws -> [Name: Tensor] {
    let feeds = try engine.converted(ids)
    let outputs = try engine.run(feeds, trace: nil)
    func output(rank: Int) throws -> Tensor? {
      try model.measured.outputs.lazy.compactMap { outputs[model.measured.name(of: $0)] }
        .first { $0.rank == rank && $0.dataType.isFloatingPoint }?.asFloat32()
    }
    guard let embeddings = try output(rank: 3) else {
      throw UsageError.unsupported(
        "not-a-text-encoder", at: model.file.path,
        "no output is a batch of token embeddings (B, tokens, width)")
    }
    let mask = ids.first { $0.key.text.contains("mask") }?.value
    var result: [Name: Tensor] = [:]
    if let name = roles.masks.first {
      let shape = try Shape(Array(embeddings.shape.dimensions.prefix(2)))
      result[name] = mask ?? Tensor([Int64](repeating: 1, count: shape.elementCount), shape: shape)
      result[text] = embeddings
    } else {
      result[text] = try mask.map { try withoutPadding(embeddings, $0) } ?? embeddings
    }
    if let name = roles.pooled.first {
      guard let pooled = try output(rank: 2) else {
        throw UsageError(
          "no-pooled-text", at: "input '\(name)'", "the text encoder gives no pooled embedding",
          hint: "pass all embeddings with --inputs")
      }
      result[name] = pooled
    }
    return result
  }

  /// Zeros where the mask is 0, for models that take no mask, as `WanPipeline` of diffusers has them
  /// (src/diffusers/pipelines/wan/pipeline_wan.py, `_get_t5_prompt_embeds`).
  private func withoutPadding(_ embeddings: Tensor, _ mask: Tensor) throws -> Tensor {
    guard let flags = mask.integers(), flags.count * embeddings.shape[2] == embeddings.elementCount
    else {
      throw UsageError(
        "bad-mask", at: "--prompt-ids",
        "the mask \(mask.dataType)\(mask.shape) does not fit embeddings \(embeddings.shape)")
    }
    let numbers = embeddings.elements(as: Float.self).enumerated().map { index, number in
      flags[index / embeddings.shape[2]] == 0 ? 0 : number
    }
    return Tensor(numbers, shape: embeddings.shape)
  }
}
