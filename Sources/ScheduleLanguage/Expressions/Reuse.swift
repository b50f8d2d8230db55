/// The type in which a slot is stored.
public enum StorageType: String, Hashable, Sendable, CaseIterable {
  case float32, float16, bfloat16
}

/// One tensor that a rule keeps between steps, once per run of blocks and stream.
public struct Slot: Hashable, Sendable {
  /// The name that state inputs carry.
  public var name: String
  /// What is stored when the site is computed, over the site's `input` and `output`.
  public var update: Expression
  /// The type to store it in; nil keeps the model's own.
  public var storage: StorageType?

  /// A slot and what fills it.
  public init(name: String, update: Expression, storage: StorageType? = nil) {
    self.name = name
    self.update = update
    self.storage = storage
  }
}

/// What stands in for a site when it is not computed.
public struct Reuse: Hashable, Sendable {
  /// The state that the rule keeps.
  public var slots: [Slot]
  /// The hidden states that leave the site, over its `input` and the slots.
  public var value: Expression

  /// A reuse from its slots and its value.
  public init(slots: [Slot], value: Expression) {
    self.slots = slots
    self.value = value
  }
}
