public import CacheContract
import GraphIR
import Interpreter
import Tensors

/// A model that denoises some of a run's steps: the only one, or one of two that share them.
///
/// Wan2.2 has an expert for high noise and one for low noise (github.com/huggingface/diffusers,
/// src/diffusers/pipelines/wan/pipeline_wan.py, `boundary_ratio`).
struct DenoisingExpert {
  let engine: any DenoisingEngine
  let manifest: Manifest?
  /// The guidance scale while it runs; nil takes that of the run.
  let guidanceScale: Double?
  /// The state of each branch of guidance.
  var bundles: [StateBundle?] = []

  init(_ engine: any DenoisingEngine, manifest: Manifest?, guidanceScale: Double? = nil) {
    self.engine = engine
    self.manifest = manifest
    self.guidanceScale = guidanceScale
  }

  /// The same model with empty state for each branch.
  func restarted(branches: [String]) -> DenoisingExpert {
    var fresh = self
    fresh.bundles = branches.map { branch in
      manifest.map { StateBundle($0, branch: branch == "uncond" ? 1 : 0) }
    }
    return fresh
  }

  /// What a host tells a cached model in a call.
  struct Controls {
    let step: Int
    let override: StateBundle.Override
    /// What the sites of the leading branch computed, which these then do too.
    let following: [Bool]?
    let sigmas: (Double, Double)
    let parameters: [String: Double]
  }

  /// One call of a branch on the model's own inputs, with its state where the model has a cache.
  mutating func call(
    _ branch: Int, _ own: [Name: Tensor], _ controls: Controls
  ) throws -> [Name: Tensor] {
    guard var bundle = bundles[branch] else { return try engine.run(own) }
    // Nobody else holds the state, so that a step that reuses it may write its result in place.
    bundles[branch] = nil
    let feeds = try bundle.feeds(
      adding: own, step: controls.step, override: controls.override,
      following: controls.following, sigmas: controls.sigmas, parameters: controls.parameters)
    let results = bundle.absorb(try engine.run(consume feeds))
    bundles[branch] = bundle
    return results
  }

  /// The output that is the model's prediction, in float32.
  func prediction(of results: [Name: Tensor]) throws -> Tensor {
    guard let port = engine.outputs.first, let tensor = results[port.name],
      tensor.dataType.isFloatingPoint
    else {
      throw DiffusionError(
        "output-type", at: "model output", "the first output is not a floating-point tensor",
        category: .unsupported)
    }
    return try tensor.asFloat32()
  }
}

/// The model that takes over when little noise is left.
public struct LowNoiseExpert {
  /// The model; its inputs are those of the other.
  public let engine: any DenoisingEngine
  /// Its manifest, with the sites of the other's; nil for models without cache.
  public let manifest: Manifest?
  /// The first model runs at timesteps of at least this part of the timestep of pure noise.
  public let boundary: Double
  /// Its guidance scale; nil takes that of the run.
  public let guidanceScale: Double?

  /// The boundary of Wan2.2 T2V A14B; I2V A14B has 0.9 (`boundary_ratio` in the configurations of
  /// their diffusers checkpoints).
  public static let usualBoundary = 0.875

  /// An expert and when it runs.
  ///
  /// - Throws: `DiffusionError` for a boundary outside 0 … 1
  public init(
    _ engine: any DenoisingEngine, manifest: Manifest? = nil,
    boundary: Double = LowNoiseExpert.usualBoundary, guidanceScale: Double? = nil
  ) throws(DiffusionError) {
    guard (0...1).contains(boundary) else {
      throw DiffusionError(
        "bad-boundary", at: "--boundary", "the boundary lies between 0 and 1, not at \(boundary)")
    }
    self.engine = engine
    self.manifest = manifest
    self.boundary = boundary
    self.guidanceScale = guidanceScale
  }

  /// Refuses a model that cannot take over from another.
  func requireLikeness(
    to engine: any DenoisingEngine, _ manifest: Manifest?
  ) throws(DiffusionError) {
    func refuse(_ message: String, hint: String? = nil) throws(DiffusionError) {
      throw DiffusionError(
        "experts-differ", at: "--low-noise", message, hint: hint, category: .usage)
    }
    guard (manifest == nil) == (self.manifest == nil) else {
      return try refuse(
        "one of the two models is cached, the other is not",
        hint: "pass --schedule with two uncached models, or rewrite both")
    }
    if manifest?.sites.map(\.name) != self.manifest?.sites.map(\.name) {
      try refuse(
        "the two models are cached at different sites", hint: "rewrite both with one schedule")
    }
    let own = Set(self.engine.inputs.map(\.name)), others = Set(engine.inputs.map(\.name))
    if let name = own.symmetricDifference(others).map(\.text).sorted().first {
      try refuse("one of the two models has an input '\(name)', the other has not")
    }
  }
}
