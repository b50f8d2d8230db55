import Foundation
import GraphIR
import Interpreter
import OnnxFile
import Quality
import TensorFiles
import Tensors

/// Networks that judge pictures, from files that the user supplies.
public struct QualityNetworks: Sendable {
  /// LPIPS, if there is a backbone.
  let perceptual: PerceptualDistance?
  /// What the features of a Fréchet distance come from, if anything.
  let features: VisionNetwork?

  /// Reads networks.
  ///
  /// - Parameters:
  ///   - lpips: a backbone whose linear heads lie beside it: `X.npz` for `X.onnx`, with the keys
  ///     `lin0.model.1.weight` … of the package's own files
  ///   - features: a network whose first output is a feature vector
  ///   - threads: threads to compute with
  /// - Throws: what reading models and archives throws; `QualityError` for a network that takes no
  ///   pictures
  public init(lpips: String? = nil, features: String? = nil, threads: Int) throws {
    perceptual = try lpips.map { path in
      try PerceptualDistance(
        backbone: try Self.network(path, threads: threads), heads: try Self.heads(beside: path))
    }
    self.features = try features.map { try Self.network($0, threads: threads) }
  }

  static func network(_ path: String, threads: Int) throws -> VisionNetwork {
    let model = try LoadedModel(path)
    try model.file.requireWeights()
    let engine = try Engine(model.graph, options: EngineOptions(threads: threads))
    return try VisionNetwork(engine, name: path)
  }

  private static func heads(beside path: String) throws -> [[Double]] {
    let archive = URL(filePath: path).deletingPathExtension().appendingPathExtension("npz")
      .path(percentEncoded: false)
    let file = try NPZFile(readingFrom: archive)
    let keys = (0..<file.keys.count).map { "lin\($0).model.1.weight" }
      .prefix { file.entry($0) != nil }
    let heads = try keys.map { key in
      try file.tensor(key).asFloat32().elements(as: Float.self).map(Double.init)
    }
    guard !heads.isEmpty else {
      throw UsageError(
        "no-lpips-heads", at: archive, "the archive has no 'lin0.model.1.weight'",
        hint: "it holds the linear heads of the backbone '\(path)'", category: .badModel)
    }
    return heads
  }
}
