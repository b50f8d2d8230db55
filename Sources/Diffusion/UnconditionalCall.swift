public import CacheContract
import GraphIR
import Interpreter
import Tensors

/// What stands in for the unconditional call at steps that leave it out.
///
/// It holds the state of one run; a copy is another run.
public struct UnconditionalCall {
  private let engine: any DenoisingEngine
  private let manifest: Manifest
  private var bundle: StateBundle

  /// The model that a cached model's manifest holds, with its own manifest.
  public init(_ engine: any DenoisingEngine, manifest: Manifest) {
    self.engine = engine
    self.manifest = manifest
    bundle = StateBundle(manifest)
  }

  /// One step of a run.
  struct Step {
    /// The conditional call's output.
    let cond: Tensor
    /// The timestep as the model itself was fed it.
    let timestep: Tensor?
    /// The number of the step.
    let number: Int
    /// The noise levels of this step and the next.
    let sigmas: (Double, Double)
    let override: StateBundle.Override
    let parameters: [String: Double]
  }

  /// The unconditional output of a step, from `call` where the rule wants it.
  mutating func output(at step: Step, call: () throws -> Tensor) throws -> Tensor {
    let held = bundle
    let (rebuilt, isCalled) = try run(step, uncond: step.cond)
    guard isCalled else { return rebuilt }
    bundle = held
    return try run(step, uncond: try call()).output
  }

  private mutating func run(
    _ step: Step, uncond: Tensor
  ) throws -> (output: Tensor, isCalled: Bool) {
    var own: [Name: Tensor] = ["cond": step.cond, "uncond": uncond]
    own["timestep"] = step.timestep
    let feeds = try bundle.feeds(
      adding: try engine.converted(own), step: step.number, override: step.override,
      sigmas: step.sigmas, parameters: step.parameters)
    let results = bundle.absorb(try engine.run(feeds))
    guard let port = engine.outputs.first, let output = results[port.name] else {
      throw DiffusionError(
        "missing-output", at: "unconditional call", "its model gives no output",
        category: .badModel)
    }
    let report = try Report(results, sites: manifest.sites.count)
    return (try output.asFloat32(), report.computed.contains(true))
  }
}
