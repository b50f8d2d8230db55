import CacheContract
public import GraphIR
import ModelStructure
import ScheduleLanguage
import Tensors

/// What a rewrite costs and saves, known before anything runs.
///
/// FLOPs count MatMul, Gemm, Conv and attention, a multiply-add being 2. Figures are nil while a
/// dimension of the model is free.
public struct CostSheet: Sendable {
  /// FLOPs of a step of the model as it was.
  public let flopsOriginal: Int?
  /// FLOPs of a step on which every site computes, attention maps that rules read included.
  public let flopsComputed: Int?
  /// FLOPs of a step on which every site reuses.
  public let flopsReused: Int?
  /// FLOPs of a whole run by the schedule's tables.
  public let flopsScheduled: Int?
  /// Bytes of all slots of one branch.
  public let stateBytes: Int?
  /// FLOPs that a reused step saves at each site, in the order of the plan's sites: those of its body
  /// less those of what runs again.
  public let siteFlops: [Int?]
  /// FLOPs that a computed step adds at each site: attention maps made again for rules to read.
  public let addedFlops: [Int?]
  /// How many more, or fewer, nodes of each operator the rewritten graph has.
  public let operatorChanges: [OpKey: Int]
  /// Reused steps after which the additions and subtractions of the cache are paid back.
  public let breakEvenReuses: Int?

  init(plan: CachePlan, original: Graph, rewritten: Graph) {
    let sites = plan.sites.map { site in site.nodes.knownSum { original[$0].flops } }
    let total = original.order.knownSum { original[$0].flops }
    flopsOriginal = total
    let added = plan.scoreFlops(in: original)
    addedFlops = added
    flopsComputed = [total, added.knownSum { $0 }].knownSum { $0 }
    let skippable = sites.knownSum { $0 }
    let bodies = plan.repeatedFlops(in: original)
    let again = bodies.knownSum { $0 }
    siteFlops = zip(sites, bodies).map { own, again in
      own.flatMap { own in again.map { own - $0 } }
    }
    flopsReused = total.flatMap { total in
      skippable.flatMap { skipped in [total - skipped, again].knownSum { $0 } }
    }
    if plan.schedule.rules.allSatisfy({ !$0.table.isAdaptive }) {
      let tables = plan.sites.map { plan.schedule.rules[$0.rule].table }
      let skipped = zip(tables, siteFlops).knownSum { $1.times($0.reusedCount) }
      let more = zip(tables, added).knownSum { $1.times(plan.schedule.steps - $0.reusedCount) }
      flopsScheduled = [total.times(plan.schedule.steps), skipped.map { -$0 }, more]
        .knownSum { $0 }
    } else {
      flopsScheduled = nil
    }
    var elements: [Int?] = []
    var bytes = [plan.ruleStateBytes(in: original)]
    for site in plan.sites {
      let rule = plan.schedule.rules[site.rule].rule
      for slot in rule.reuse.slots where slot.isLocal(among: rule.reuse.slots) {
        for stream in site.streams {
          let type = original.tensorType(of: stream.output)
          let stored = slot.storedType(of: type?.dataType ?? .float32)
          let count = type?.concreteShape.map { shape in
            shape.elementCount / (slot.isPerToken ? max(1, shape.dimensions.last ?? 1) : 1)
          }
          elements.append(count)
          bytes.append(count.times(stored.byteCount))
        }
      }
    }
    stateBytes = bytes.knownSum { $0 }
    breakEvenReuses = skippable.flatMap { saved in
      guard let elements = elements.knownSum({ $0 }), saved > elements else { return nil }
      let gain = saved - elements
      return elements / gain + (elements % gain == 0 ? 0 : 1)
    }
    var changes = rewritten.operatorCounts()
    for (op, count) in original.operatorCounts() { changes[op, default: 0] -= count }
    operatorChanges = changes.filter { $0.value != 0 }
  }
}

extension CachePlan {
  /// Bytes of the slots that rules keep once: numbers, counters of steps and tensors filled from
  /// taps; nil while a dimension is free.
  fileprivate func ruleStateBytes(in graph: Graph) -> Int? {
    var bytes: [Int?] = []
    for number in Set(sites.map(\.rule)) {
      let rule = schedule.rules[number].rule
      let slots = rule.reuse.slots
      for slot in slots + RuleState.counters(of: rule) where !slot.isLocal(among: slots) {
        if slot.isScalar {
          bytes.append(DataType.float32.byteCount)
          continue
        }
        guard let tap = slot.signal(among: slots), let value = taps[tap]?.first,
          let type = graph.tensorType(of: value), let shape = type.concreteShape
        else { return nil }
        let stored = slot.storage?.dataType ?? type.dataType ?? .float32
        bytes.append(Optional(shape.elementCount).times(stored.byteCount))
      }
    }
    return bytes.knownSum { $0 }
  }
}

extension Sequence {
  /// The sum of one number of each element; nil where one is not known or the sum does not fit.
  func knownSum(_ number: (Element) -> Int?) -> Int? {
    var sum = 0
    for element in self {
      guard let own = number(element), let more = try? Checked.sum(sum, own) else { return nil }
      sum = more
    }
    return sum
  }
}

extension Int? {
  /// A multiple; nil where the number is not known or the multiple does not fit.
  fileprivate func times(_ factor: Int) -> Int? {
    flatMap { try? Checked.product($0, factor) }
  }
}
