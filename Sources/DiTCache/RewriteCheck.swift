import CacheContract
import Diffusion
import GraphIR
import Interpreter
import OnnxFile
import Quality
import Tensors

/// Proves on real numbers that a cached file does what it should.
///
/// Three claims, on the given inputs or on seeded ones: with override = compute all original outputs
/// are those of the original bit for bit over two calls; one reuse after one compute is
/// deterministic and uses the state; the written state has the declared type.
public struct RewriteCheck: Sendable {
  /// One claim and whether it held.
  public struct Claim: Sendable {
    /// What was claimed.
    public let text: String
    /// Whether it held.
    public let holds: Bool
  }

  /// The claims in the order they were tried.
  public let claims: [Claim]

  /// True when every claim held.
  public var holds: Bool { claims.allSatisfy(\.holds) }

  /// Runs original and cached model side by side.
  ///
  /// - Parameters:
  ///   - original: the original model
  ///   - cachedPath: the file that was written; it is read again
  ///   - inputsPath: feeds by input name, or nil for seeded ones
  ///   - threads: threads to compute with
  /// - Throws: what reading and running throw
  public init(
    original: LoadedModel, cachedPath: String, inputsPath: String?, threads: Int
  ) throws {
    try original.file.requireWeights()
    let model = try LoadedModel(cachedPath)
    guard let manifest = model.manifest else {
      throw UsageError(
        "not-cached", at: cachedPath, "the file that was written holds no manifest",
        category: .internalFault)
    }
    let options = EngineOptions(threads: threads)
    let plain = try Engine(original.graph, options: options)
    let cached = try Engine(model.graph, options: options)
    let feeds =
      try inputsPath.map { try RunJob.arrays(of: $0) } ?? SeededInputs.make(for: plain.inputs)
    let expected = try plain.run(try plain.converted(feeds), trace: nil)
    var claims: [Claim] = []
    var bundle = StateBundle(manifest)
    let own = try cached.converted(feeds)
    for call in 0..<2 {
      let fed = try bundle.feeds(adding: own, step: call, override: .compute)
      let outputs = bundle.absorb(try cached.run(fed, trace: nil))
      let same = try expected.allSatisfy { name, tensor in
        guard let other = outputs[name] else { return false }
        return try TensorDifference(of: other, from: tensor).isIdentical
      }
      claims.append(
        Claim(text: "override = compute gives the original bit for bit, call \(call)", holds: same))
    }
    let fed = try bundle.feeds(adding: own, step: 1, override: .reuse)
    let reused = bundle.absorb(try cached.run(fed, trace: nil))
    let flags = reused[Name(ContractNames.computed)]?.elements(as: Bool.self) ?? []
    claims.append(
      Claim(
        text: "override = reuse skips all \(manifest.sites.count) sites",
        holds: flags.count == manifest.sites.count && !flags.contains(true)))
    let close = try expected.allSatisfy { name, tensor in
      guard let other = reused[name] else { return false }
      let difference = try TensorDifference(of: other, from: tensor)
      return difference.isIdentical || difference.relativeL1 < 1e-5
    }
    claims.append(
      Claim(text: "a reuse on the same input repeats the original within 1e-5", holds: close))
    self.claims = claims
  }
}

/// Inputs for a model of which nothing else is known.
enum SeededInputs {
  /// Floats N(0, 1), masks 1, timesteps 500, integers 0, bool true; free dimensions become 2.
  static func make(for ports: [Port]) throws -> [Name: Tensor] {
    var noise = GaussianNoise(seed: 0)
    var feeds: [Name: Tensor] = [:]
    for port in ports where !port.isOptional {
      guard let type = port.type.tensor, let dataType = type.dataType else {
        throw UsageError(
          "unknown-input-type", at: "input '\(port.name)'", "its type is not known",
          hint: "pass --input with real inputs")
      }
      let sizes = (type.shape ?? []).map { $0.value ?? 2 }
      let shape = try Shape(sizes)
      let count = shape.elementCount
      switch dataType {
      case .int64: feeds[port.name] = Tensor([Int64](repeating: 0, count: count), shape: shape)
      case .int32: feeds[port.name] = Tensor([Int32](repeating: 0, count: count), shape: shape)
      case .bool: feeds[port.name] = Tensor([Bool](repeating: true, count: count), shape: shape)
      default:
        let name = port.name.text
        if name.contains("timestep") || name.contains("mask") {
          let value: Float = name.contains("mask") ? 1 : 500
          feeds[port.name] = Tensor([Float](repeating: value, count: count), shape: shape)
        } else {
          feeds[port.name] = noise.tensor(shape)
        }
      }
    }
    return feeds
  }
}
