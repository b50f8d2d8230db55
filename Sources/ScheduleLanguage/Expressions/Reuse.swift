/// The type in which a slot is stored.
public enum StorageType: String, Hashable, Sendable, CaseIterable {
  case float32, float16, bfloat16
}

/// One piece of state that a rule keeps between calls.
///
/// A scalar slot is one number for the rule. A tensor slot that is filled from the site's own border
/// is kept once per run of blocks and stream, any other once per rule. What a tensor slot keeps is
/// evaluated with all slots as they were before; one that holds nothing yet reads as zero.
public struct Slot: Hashable, Sendable {
  /// The name that state inputs carry.
  public var name: String
  /// What a scalar slot begins with; nil for a tensor.
  public var initial: Double?
  /// Whether a tensor is one number for each token of the site's stream.
  public var isPerToken = false
  /// The type that a tensor is stored in; nil keeps the model's own, and whole numbers for tokens.
  public var storage: StorageType?
  /// What a scalar becomes before the decision.
  public var before: Expression?
  /// What is stored when the site is computed.
  public var computed: Expression?
  /// What is stored when the site is reused; nil keeps the content.
  public var reused: Expression?

  /// A tensor slot and what fills it when the site is computed.
  public init(name: String, update: Expression?, storage: StorageType? = nil) {
    self.name = name
    self.storage = storage
    computed = update
  }

  /// A scalar slot.
  public init(name: String, initial: Double) {
    self.name = name
    self.initial = initial
  }

  /// Whether it holds one number.
  public var isScalar: Bool { initial != nil }

  /// Everything that is ever stored.
  public var updates: [Expression] { [before, computed, reused].compactMap { $0 } }

  /// Whether a tensor is kept once per run of blocks and stream.
  public func isLocal(among slots: [Slot]) -> Bool {
    guard !isScalar else { return false }
    var visited: Set<String> = [name]
    var pending = updates
    while let update = pending.popLast() {
      if update.readsSite { return true }
      for other in slots where !other.isScalar && update.slots.contains(other.name) {
        if visited.insert(other.name).inserted { pending += other.updates }
      }
    }
    return false
  }
}

/// What stands in for a site when it is not computed.
public struct Reuse: Hashable, Sendable {
  /// The state that the rule keeps.
  public var slots: [Slot]
  /// What leaves the site, over its `input`, the slots and taps before it.
  public var value: Expression

  /// A reuse from its slots and its value.
  public init(slots: [Slot], value: Expression) {
    self.slots = slots
    self.value = value
  }

  /// The tensor slots that each site has for itself.
  public var localSlots: [Slot] { slots.filter { $0.isLocal(among: slots) } }
}
