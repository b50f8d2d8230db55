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
  /// FLOPs of a step on which every site computes.
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
  /// How many more, or fewer, nodes of each operator the rewritten graph has.
  public let operatorChanges: [OpKey: Int]
  /// Reused steps after which the additions and subtractions of the cache are paid back.
  public let breakEvenReuses: Int?

  init(plan: CachePlan, original: Graph, rewritten: Graph) {
    func flops(_ nodes: some Sequence<NodeID>) -> Int? {
      var sum = 0
      for id in nodes {
        guard let own = original[id].flops else { return nil }
        let (total, overflow) = sum.addingReportingOverflow(own)
        if overflow { return nil }
        sum = total
      }
      return sum
    }
    let sites = plan.sites.map { flops($0.nodes) }
    let total = flops(original.order)
    flopsComputed = total
    let known = sites.compactMap { $0 }
    let skippable = known.count == sites.count ? known.reduce(0, +) : nil
    let bodies = plan.repeatedFlops(in: original)
    siteFlops = zip(sites, bodies).map { own, again in
      own.flatMap { own in again.map { own - $0 } }
    }
    let repeated = bodies.compactMap { $0 }
    let again = repeated.count == sites.count ? repeated.reduce(0, +) : nil
    flopsReused = total.flatMap { total in
      skippable.flatMap { skipped in again.map { total - skipped + $0 } }
    }
    let steps = plan.schedule.steps
    if let total, skippable != nil, again != nil,
      plan.schedule.rules.allSatisfy({ !$0.table.isAdaptive })
    {
      let saved = zip(known, repeated).map { $0 - $1 }
      let skipped = zip(plan.sites, saved).reduce(0) { sum, entry in
        sum + entry.1 * plan.schedule.rules[entry.0.rule].table.reusedCount
      }
      flopsScheduled = total * steps - skipped
    } else {
      flopsScheduled = nil
    }
    var elements = 0
    var bytes: Int? = 0
    for site in plan.sites {
      let rule = plan.schedule.rules[site.rule].rule
      for slot in rule.reuse.slots where slot.isLocal(among: rule.reuse.slots) {
        for stream in site.streams {
          guard let type = original.tensorType(of: stream.output), let shape = type.concreteShape
          else {
            bytes = nil
            continue
          }
          let stored = slot.storedType(of: type.dataType ?? .float32)
          let width = slot.isPerToken ? max(1, shape.dimensions.last ?? 1) : 1
          let count = shape.elementCount / width
          elements += count
          bytes = bytes.map { $0 + count * stored.byteCount }
        }
      }
    }
    let ruleBytes = plan.ruleStateBytes(in: original)
    stateBytes = bytes.flatMap { own in ruleBytes.map { own + $0 } }
    breakEvenReuses = skippable.flatMap { saved in
      guard bytes != nil, saved > elements else { return nil }
      let gain = saved - elements
      return (elements + gain - 1) / gain
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
    var bytes = 0
    for number in Set(sites.map(\.rule)) {
      let rule = schedule.rules[number].rule
      let slots = rule.reuse.slots
      for slot in slots + RuleState.counters(of: rule) where !slot.isLocal(among: slots) {
        if slot.isScalar {
          bytes += DataType.float32.byteCount
          continue
        }
        guard let tap = slot.signal(among: slots), let value = taps[tap]?.first,
          let type = graph.tensorType(of: value), let shape = type.concreteShape
        else { return nil }
        let stored = slot.storage?.dataType ?? type.dataType ?? .float32
        bytes += shape.elementCount * stored.byteCount
      }
    }
    return bytes
  }
}
