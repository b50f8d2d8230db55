public import Diffusion
public import GraphIR
public import Interpreter
public import Tensors

/// An engine that runs a probed model and keeps what each call says about attention.
public final class ProfilingEngine: DenoisingEngine {
  private let engine: Engine
  private let blocks: [AttentionProbe.ProbedBlock]

  /// Attention of each call so far, block by block, of the latents' tokens.
  public private(set) var calls: [[[Float]]] = []

  /// An engine for the graph of a probe.
  public init(_ probe: AttentionProbe, options: EngineOptions) throws {
    engine = try Engine(probe.graph, options: options)
    blocks = probe.blocks
  }

  /// The model's inputs.
  public var inputs: [Port] { engine.inputs }

  /// The model's own outputs come first.
  public var outputs: [Port] { engine.outputs }

  /// Converts feeds to the declared element types.
  public func converted(_ feeds: [Name: Tensor]) throws -> [Name: Tensor] {
    try engine.converted(feeds)
  }

  /// One forward pass; the attention is kept here and not returned.
  public func run(_ feeds: consuming [Name: Tensor]) throws -> [Name: Tensor] {
    var results = try engine.run(feeds, trace: nil)
    var call: [[Float]] = []
    for block in blocks {
      guard let received = results.removeValue(forKey: block.output),
        received.elementCount == block.tokenCount, received.dataType == .float32
      else {
        throw ProfilingError(
          "no-attention", at: block.name, "the model did not say how much attention tokens receive",
          category: .internalFault)
      }
      call.append(Array(received.elements(as: Float.self)[block.latentTokens]))
    }
    calls.append(call)
    return results
  }

  /// Forgets the calls so far.
  public func reset() { calls = [] }
}
