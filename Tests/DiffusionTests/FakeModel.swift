import Adapters
import CacheContract
import Diffusion
import GraphIR
import Interpreter
import Synchronization
import Tensors

/// A model whose velocity is a plain function of its feeds, which it records.
final class FakeModel: DenoisingEngine {
  let inputs: [Port]
  let outputs: [Port]
  private let velocity: @Sendable ([Name: Tensor]) -> [Float]
  private let others: @Sendable ([Name: Tensor]) -> [Name: Tensor]
  private let recorded = Mutex<[[Name: Tensor]]>([])

  /// A model of latents `x` (B, 2), of a fixed or any batch.
  ///
  /// - Parameters:
  ///   - batch: the batch that the model declares, nil for any
  ///   - velocity: the first output's numbers for some feeds
  ///   - others: further outputs
  /// - Throws: what the engine says of the graph
  init(
    batch: Int? = nil, velocity: @escaping @Sendable ([Name: Tensor]) -> [Float],
    others: @escaping @Sendable ([Name: Tensor]) -> [Name: Tensor] = { _ in [:] }
  ) throws {
    var graph = Graph()
    let size = batch.map { Dimension($0) } ?? Dimension(symbol: "batch")
    let x = graph.addInput("x", type: .tensor(.float32, [size, 2]))
    graph.addInput("t", type: .tensor(.float32, [size]))
    graph.addOutput(graph.emit("Identity", [x], name: "v", type: .tensor(.float32, [size, 2])))
    let engine = try Engine(graph)
    inputs = engine.inputs
    outputs = engine.outputs
    self.velocity = velocity
    self.others = others
  }

  /// What every call was fed, in order.
  var calls: [[Name: Tensor]] { recorded.withLock { $0 } }

  /// The numbers of one feed in every call.
  func fed(_ name: Name) -> [[Float]] {
    calls.map { $0[name]?.elements(as: Float.self) ?? [] }
  }

  func converted(_ feeds: [Name: Tensor]) -> [Name: Tensor] { feeds }

  func run(_ feeds: consuming [Name: Tensor]) throws -> [Name: Tensor] {
    let copy = feeds
    recorded.withLock { $0.append(copy) }
    var results = others(copy)
    let numbers = velocity(copy)
    results["v"] = Tensor(numbers, shape: try Shape([numbers.count / 2, 2]))
    return results
  }

  /// The numbers of latents.
  static func latents(_ feeds: [Name: Tensor]) -> [Float] {
    feeds["x"]?.elements(as: Float.self) ?? []
  }

  /// The text's first number of each sample, twice, as a velocity.
  @Sendable static func fromText(_ feeds: [Name: Tensor]) -> [Float] {
    (feeds["text"]?.elements(as: Float.self) ?? []).flatMap { [$0, 2 * $0] }
  }
}

extension InputRoles {
  /// Roles of the fake model's inputs.
  static func fake(
    _ guidance: Guidance = .none, scale: Double? = nil
  ) -> InputRoles {
    InputRoles(
      latents: "x", timestep: "t", text: ["text"], guidance: guidance,
      guidanceScale: scale)
  }
}

extension Tensor {
  /// Rows of numbers.
  static func rows(_ rows: [[Float]]) throws -> Tensor {
    Tensor(rows.flatMap { $0 }, shape: try Shape([rows.count, rows.first?.count ?? 0]))
  }
}
