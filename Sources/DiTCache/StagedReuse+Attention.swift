import CacheRewrite
import Glibc
import GraphIR
import Interpreter
import ModelStructure
import ScheduleLanguage
import Tensors

extension StagedReuse {
  /// The map of a site's attention, and the values that it weighs; nil where no slot reads them.
  func attention(of number: Int) -> (weights: ValueID, values: ValueID?)? {
    let site = plan.sites[number]
    let slots = plan.schedule.rules[site.rule].rule.reuse.slots
    guard slots.contains(where: { !($0.computed?.attentionValues.isEmpty ?? true) }),
      let core = try? AttentionCore(among: site.nodes, in: graph, at: site.name),
      let weights = core.weights(in: graph)
    else { return nil }
    return (weights, core.values(in: graph, uses: UseIndex(graph)))
  }

  /// The attention maps, and the values that they weigh, which slots read.
  ///
  /// They are of a run of their own: what is handed out is no part of a fused operator, and those give
  /// other last bits.
  func attentionValues(_ feeds: [Name: Tensor]) throws -> [Name: Tensor] {
    let wanted = Set(
      plan.sites.indices.compactMap { attention(of: $0) }
        .flatMap { [$0.weights, $0.values].compactMap { $0 } })
    guard !wanted.isEmpty else { return [:] }
    var probed = graph
    for value in wanted.subtracting(graph.outputs) { probed.addOutput(value) }
    let names = Set(wanted.map { graph.name(of: $0) })
    return try Engine(probed, options: options).run(feeds, trace: nil)
      .filter { name, _ in names.contains(name) }
  }

  /// The slot that `held` means at a site.
  func heldKey(_ rule: String, _ slot: String, _ own: (number: Int, stream: Int)) -> Key? {
    let block = plan.sites[own.number].blocks.lowerBound
    let place = plan.sites.firstIndex { site in
      plan.schedule.rules[site.rule].rule.name == rule && site.blocks.contains(block)
    }
    return place.map { place in
      let site = plan.sites[place]
      return Key(
        rule: site.rule, site: place, stream: site.streams.count == 1 ? 0 : own.stream, slot: slot)
    }
  }

  /// The grid of a stream's tokens.
  func grid(of stream: Stream) -> TokenGrid? {
    guard let latents = plan.latents,
      let tokens = graph.tensorType(of: stream.input)?.shape?.dropLast().last?.value
    else { return nil }
    return TokenGrid.candidates(ofLatents: latents, tokens: tokens).first?.grid
  }
}

/// What an attention map (batch, heads, queries, keys), or the values (batch, heads, tokens, width), say
/// about each token.
struct AttentionNumbers {
  private let elements: [Float]
  private let shape: Shape

  init(_ tensor: Tensor) throws {
    elements = try tensor.asFloat32().elements(as: Float.self)
    shape = tensor.shape
  }

  /// One number a token, (batch, tokens, 1); which tokens are whose is not said where streams are joined.
  func column(
    _ value: Expression.SiteValue, tokens: Int?
  ) throws -> ArrayExpression.Value {
    guard shape.rank == 4 else { throw ArrayExpression.odd(.site(value)) }
    let (batches, heads, rows, width) = (shape[0], shape[1], shape[2], shape[3])
    let total = value == .attentionReceived ? width : rows
    guard total == tokens else { throw ArrayExpression.odd(.site(value)) }
    var result = [Float](repeating: 0, count: batches * total)
    for batch in 0..<batches {
      func element(_ head: Int, _ row: Int, _ column: Int) -> Double {
        Double(elements[((batch * heads + head) * rows + row) * width + column])
      }
      for token in 0..<total {
        let number: Double
        switch value {
        case .attentionReceived:
          number =
            (0..<heads).reduce(0) { sum, head in
              (0..<rows).reduce(sum) { $0 + element(head, $1, token) }
            } / Double(heads)
        case .attentionEntropy:
          number = (0..<width).reduce(0) { sum, column in
            let mean = (0..<heads).reduce(0) { $0 + element($1, token, column) } / Double(heads)
            return mean > 0 ? sum - mean * Glibc.log(mean) : sum
          }
        default:
          number =
            (0..<heads).reduce(0) { sum, head in
              sum
                + (0..<width).reduce(0) { $0 + element(head, token, $1) * element(head, token, $1) }
                .squareRoot()
            } / Double(heads)
        }
        result[batch * total + token] = Float(number)
      }
    }
    return .array(result, try Shape([batches, total, 1]))
  }
}
