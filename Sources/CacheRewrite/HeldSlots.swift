import GraphIR
import ScheduleLanguage
import Tensors

/// What the slots of sites that are wrapped already hold after this call.
struct HeldSlots {
  private struct Site {
    let rule: String
    let name: String
    let blocks: ClosedRange<Int>
    let slots: [(entry: SlotLayout.Entry, value: ValueID)]
  }

  private var sites: [Site] = []
  /// The slots of each rule that others read.
  private var read: [String: Set<String>] = [:]

  /// Nothing yet; `rules` are those that may read it.
  init(readBy rules: [CacheRule] = []) {
    for case .held(let rule, let slot) in rules.flatMap(\.expressions).flatMap(\.parts) {
      read[rule, default: []].insert(slot)
    }
  }

  /// Adds the slots of one more site that others read.
  ///
  /// They are read by way of an Identity: OpenVINO 2026.4 refuses an If that reads an output of the
  /// graph.
  mutating func add(
    _ slots: [(entry: SlotLayout.Entry, value: ValueID)], rule: String, _ site: CachePlan.Site,
    in graph: inout Graph
  ) {
    var own: [(entry: SlotLayout.Entry, value: ValueID)] = []
    for (entry, value) in slots where read[rule]?.contains(entry.slot.name) ?? false {
      let copy = graph.emit(
        "Identity", [value], name: Name("\(entry.name)/held"), type: graph.type(of: value))
      own.append((entry, copy))
    }
    sites.append(Site(rule: rule, name: site.name, blocks: site.blocks, slots: own))
  }

  /// The content of a slot of the site that another rule has in a block.
  ///
  /// - Parameters:
  ///   - slot: its name
  ///   - rule: the other rule's
  ///   - block: the block's position
  ///   - stream: the stream that asks; where the other site has one only, that is meant
  ///   - place: the rule and site that ask, for errors
  /// - Returns: the value in the main graph
  /// - Throws: `CacheRewriteError` where no site, or more than one, is meant
  func value(
    of slot: String, in rule: String, at block: Int, stream: Int, place: String
  ) throws(CacheRewriteError) -> ValueID {
    let found = sites.filter { $0.rule == rule && $0.blocks.contains(block) }
    guard found.count == 1 else {
      throw CacheRewriteError(
        found.isEmpty ? "held-later" : "ambiguous-site", at: place,
        found.isEmpty
          ? "rule '\(rule)' has no site before this one in the same block"
          : "rule '\(rule)' has several sites in the same block: "
            + found.map { "'\($0.name)'" }.joined(separator: ", "),
        hint: found.isEmpty
          ? "let both rules cache the same blocks" : "give each kind of module a rule of its own",
        category: .badSchedule)
    }
    let streams = found[0].slots.filter { $0.entry.slot.name == slot }
    guard
      let held = streams.count == 1
        ? streams.first : streams.first(where: { $0.entry.stream == stream })
    else {
      throw CacheRewriteError(
        "no-such-stream", at: place,
        "'\(found[0].name)' keeps '\(slot)' of \(streams.count) streams, none of which is number "
          + "\(stream)", category: .badSchedule)
    }
    return held.value
  }
}
