import GraphIR
import ModelStructure
import ScheduleLanguage
import Tensors

extension CachePlan {
  /// FLOPs that a computed step spends on attention maps that slots are filled from, site by site; nil
  /// while a dimension is free.
  func scoreFlops(in graph: Graph) -> [Int?] {
    sites.map { site in
      let read = schedule.rules[site.rule].rule.reuse.slots.compactMap(\.computed)
        .flatMap(\.attentionValues)
      guard !read.isEmpty else { return 0 }
      guard let scores = try? AttentionScores(of: site, in: graph, at: site.name) else {
        return nil
      }
      return Set(read).knownSum { scores.flops(of: $0) }
    }
  }

  /// FLOPs that a reused step spends on bodies that rules run again, site by site: the mean over the
  /// reused steps, as the part of the tokens may follow the step; nil while a dimension is free.
  ///
  /// What a rule runs once for all its sites counts for the first one.
  func repeatedFlops(in graph: Graph) -> [Int?] {
    var met: Set<Int> = []
    let owned = Set(sites.flatMap(\.nodes))
    return sites.map { site in
      let facts = schedule.rules[site.rule]
      let reuse = facts.rule.reuse
      let local = reuse.slots.filter { $0.isLocal(among: reuse.slots) }
      let bodies = Set(
        ([reuse.value] + local.compactMap(\.reused)).flatMap(\.parts).filter { part in
          if case .body = part { true } else { false }
        })
      var parts: [Int?] = []
      for stream in site.streams {
        for case .body(let operand) in bodies {
          let copy = BodyCopy(
            of: stream.output, from: site.streams.map(\.input), hidden: owned, in: graph)
          guard let whole = copy.flops(in: graph) else { return nil }
          let tokens = graph.tensorType(of: stream.input)?.shape?.dropLast().last?.value
          let mean = Double(whole) * meanPart(of: operand, site, facts, tokens: tokens)
          parts.append(Int(exactly: mean.rounded(.down)))
        }
      }
      guard met.insert(site.rule).inserted else { return parts.knownSum { $0 } }
      let shared = reuse.slots.filter { !$0.isLocal(among: reuse.slots) }.compactMap(\.reused)
      for tap in Set(([reuse.value] + shared).flatMap(\.taps)) {
        guard case .recomputed(let inputs, let output)? = taps[tap] else { continue }
        let copy = BodyCopy(of: output, from: inputs, hidden: owned, in: graph)
        parts.append(copy.flops(in: graph))
      }
      return parts.knownSum { $0 }
    }
  }

  /// The part of all tokens that an expression has, on average over the reused steps.
  private func meanPart(
    of expression: Expression, _ site: Site, _ facts: ResolvedRule, tokens: Int?
  ) -> Double {
    guard case .call(.gather, let operands) = expression else { return 1 }
    var steps = facts.table.computed.indices.filter { !facts.table.computed[$0] }
    if steps.isEmpty { steps = Array(0..<schedule.steps) }
    let parts = steps.map { step -> Double in
      switch operands[1] {
      case .call(.topK, let choice):
        var context = EvaluationContext(controls: [
          .step: .integer(step), .steps: .integer(schedule.steps),
          .depth: .number(site.depth(of: schedule.layout.blockCount)),
        ])
        for parameter in schedule.schedule.parameters {
          context.slots[parameter.name] = .number(parameter.defaultValue)
        }
        let part: Double? =
          switch try? choice[1].value(in: context) {
          case .number(let value)?: value
          case .integer(let value)?: Double(value)
          case .boolean?, nil: nil
          }
        return min(max(part ?? 1, 0), 1)
      case .call(.representatives, let choice):
        guard case .integer(let clusters) = choice[1], let tokens, tokens > 0 else { return 1 }
        return min(1, Double(clusters) / Double(tokens))
      default: return 1
      }
    }
    return parts.reduce(0, +) / Double(max(1, parts.count))
  }
}
