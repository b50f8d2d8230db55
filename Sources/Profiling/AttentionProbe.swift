public import GraphIR
public import ModelStructure
import Tensors

/// Adds outputs to a model that say how much attention each token receives, block by block.
///
/// For one block that is `ā_j = 1/(B·H·N) Σ_{b,h,i} A_{b,h,i,j}`, where the row `A_i` is the softmax
/// over keys j of query i: equation 5 of ProfilingDiT (arXiv 2504.03140), whose sum runs over
/// queries, because each row of `A` sums to one. So the numbers of a block sum to one. A `Loop`
/// repeats the model's own nodes from product to softmax on a few rows of queries at a time and keeps
/// sums over columns; no N × N matrix is made for it.
public struct AttentionProbe: Sendable {
  /// The model with its further outputs.
  public private(set) var graph: Graph

  /// The probed blocks in execution order.
  public private(set) var blocks: [ProbedBlock] = []

  /// Why other blocks are not probed.
  public private(set) var skipped: [StructureNote] = []

  /// Scores that one trip of a loop makes at most.
  static let tileElementCount = 1 << 22

  /// A block whose attention is an output.
  public struct ProbedBlock: Sendable {
    /// Its name.
    public let name: String
    /// The position among all blocks.
    public let position: Int
    /// The output, float32 [tokens].
    public let output: Name
    /// Keys of the attention.
    public let tokenCount: Int
    /// Which of them are of the latents.
    public let latentTokens: Range<Int>
  }

  /// Probes the blocks of a model whose dimensions are known.
  ///
  /// - Parameters:
  ///   - graph: the model, with types
  ///   - structure: its blocks
  ///   - tokens: where the latents' tokens come from
  ///   - tileElements: scores of one trip, for tests
  /// - Throws: `ProfilingError` when no block can be probed
  public init(
    _ graph: Graph, structure: ModelStructure, tokens: TokenGrid, tileElements: Int? = nil
  ) throws(ProfilingError) {
    self.graph = graph
    var insertions: [NodeID: [NodeID]] = [:]
    for block in structure.blocks {
      do throws(ProfilingError) {
        let core = try Self.core(of: block, in: graph)
        let builder = try AttentionLoop(
          core, in: graph, tileElements: tileElements ?? Self.tileElementCount)
        let latent = try tokens.latentTokens(among: builder.keyCount, of: core.keys, in: graph)
        let (nodes, output) = builder.insert(into: &self.graph)
        insertions[core.nodes[core.nodes.count - 1]] = nodes
        self.graph.addOutput(output)
        blocks.append(
          ProbedBlock(
            name: block.name, position: block.position, output: self.graph.name(of: output),
            tokenCount: builder.keyCount, latentTokens: latent))
      } catch {
        skipped.append(StructureNote(place: error.place, message: error.message))
      }
    }
    guard !blocks.isEmpty else {
      let reason = skipped.first.map { "\($0.place): \($0.message)" } ?? "it has no blocks"
      throw ProfilingError(
        "nothing-to-profile", at: "model", "no block's attention can be observed; \(reason)",
        hint: "`ditcache inspect` shows what was found; free dimensions need --dim")
    }
    self.graph.setOrder(graph.order.flatMap { [$0] + (insertions[$0] ?? []) })
  }

  private static func core(
    of block: Block, in graph: Graph
  ) throws(ProfilingError) -> AttentionCore {
    do throws(StructureError) {
      return try AttentionCore(of: block, in: graph)
    } catch {
      throw ProfilingError(error.code, at: error.place, error.message, hint: error.hint)
    }
  }
}
