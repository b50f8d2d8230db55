import CacheContract
import GraphIR
import ModelStructure
import ScheduleLanguage
import Tensors

/// Whether a file runs without state.
public enum StateConvention: String, Sendable, CaseIterable {
  /// State and controls have defaults, so the original feed still runs (ONNX Runtime).
  case optional
  /// Every input must be fed (OpenVINO, Triton, TensorRT, strict ONNX).
  case required
}

/// Names and types of the tensor slots of one site, or of those that a rule keeps once.
struct SlotLayout {
  struct Entry {
    let slot: ScheduleLanguage.Slot
    /// The stream whose tensor it holds; nil for a slot that a rule keeps once.
    let stream: Int?
    let name: String
    let type: TensorType
    /// The element type of what fills it, in which expressions read it.
    let signalType: DataType?
  }

  let entries: [Entry]

  /// The slots of one site, one for each slot of the rule and each stream.
  init(
    _ site: CachePlan.Site, rule: CacheRule, in graph: Graph, convention: StateConvention
  ) throws(CacheRewriteError) {
    var entries: [Entry] = []
    for slot in rule.reuse.slots where slot.isLocal(among: rule.reuse.slots) {
      for (number, stream) in site.streams.enumerated() {
        guard let type = graph.tensorType(of: stream.output) ?? graph.tensorType(of: stream.input),
          let dataType = type.dataType, let shape = type.shape
        else { throw Self.unknown(graph.name(of: stream.output), at: site.name) }
        entries.append(
          Entry(
            slot: slot, stream: number,
            name: ContractNames.slot(
              slot.name, stream: number, of: site.streams.count, site: site.name,
              rule: rule.name),
            type: TensorType(
              slot.storedType(of: dataType),
              Self.declared(
                slot.isPerToken ? shape.dropLast() + [1] : shape,
                symbol: "\(site.name)_\(number)", convention: convention)),
            signalType: slot.isPerToken ? .float32 : dataType))
      }
    }
    self.entries = entries
  }

  /// The slots that a rule keeps once, filled from taps.
  init(
    sharedBy rule: CacheRule, taps: TapValues, in graph: Graph, convention: StateConvention
  ) throws(CacheRewriteError) {
    var entries: [Entry] = []
    let slots = rule.reuse.slots
    for slot in slots where !slot.isScalar && !slot.isLocal(among: slots) {
      guard let tap = slot.signal(among: slots), let meaning = taps[tap],
        let type = graph.tensorType(of: meaning.first), let dataType = type.dataType,
        let shape = type.shape
      else { throw Self.unknown(Name(slot.name), at: "rule '\(rule.name)'") }
      entries.append(
        Entry(
          slot: slot, stream: nil,
          name: ContractNames.slot(
            slot.name, stream: 0, of: 1, site: ContractNames.shared, rule: rule.name),
          type: TensorType(
            slot.storage?.dataType ?? dataType,
            Self.declared(
              shape, symbol: "\(rule.name)_\(slot.name)", convention: convention)),
          signalType: dataType))
    }
    self.entries = entries
  }

  private static func unknown(_ name: Name, at place: String) -> CacheRewriteError {
    CacheRewriteError(
      "unknown-stream-type", at: place, "the type of '\(name)' is not known",
      hint: "export the model again with shapes, or pass --dim for its free dimensions")
  }

  /// The shape that a slot is declared with.
  ///
  /// What varies gets a symbol of the slot's own: a slot is empty before the first call and may hold
  /// another size than the model's inputs have now. An optional slot whose sizes are all known gets a
  /// free token dimension, so that its default can be empty.
  private static func declared(
    _ shape: [Dimension], symbol: String, convention: StateConvention
  ) -> [Dimension] {
    var shape = shape
    let varying = shape.indices.filter { shape[$0].value == nil }
    if varying.isEmpty {
      guard convention == .optional, let last = shape.indices.last else { return shape }
      let axis = shape.count >= 2 ? last - 1 : last
      shape[axis] = Dimension(symbol: "ditcache_tokens_\(shape[axis])")
      return shape
    }
    let place = symbol.map { $0.isLetter || $0.isNumber ? $0 : "_" }
    for axis in varying {
      shape[axis] = Dimension(symbol: "ditcache_\(String(place))_\(axis)")
    }
    return shape
  }
}

extension ScheduleLanguage.Slot {
  /// The type in which it keeps a tensor of some type.
  func storedType(of dataType: DataType) -> DataType {
    storage?.dataType ?? (isPerToken ? .int32 : dataType)
  }

  /// The tap that fills the slot, directly or by way of other slots.
  func signal(among slots: [ScheduleLanguage.Slot]) -> Tap? {
    var visited: Set<String> = [name]
    var pending = updates
    while !pending.isEmpty {
      let update = pending.removeFirst()
      for part in update.parts { if case .tap(let tap) = part { return tap } }
      for other in slots where !other.isScalar && update.slots.contains(other.name) {
        if visited.insert(other.name).inserted { pending += other.updates }
      }
    }
    return nil
  }
}

extension TapValues.Meaning {
  /// A value of the tap's type.
  var first: ValueID {
    switch self {
    case .value(let value), .difference(let value, _), .recomputed(_, let value): value
    }
  }
}

extension StorageType {
  var dataType: DataType {
    switch self {
    case .float32: .float32
    case .float16: .float16
    case .bfloat16: .bfloat16
    }
  }
}

extension TensorType {
  /// The default of an optional state input: no elements, zero along every free dimension.
  var emptyDefault: StoredTensor? {
    guard let dataType, let shape, let sizes = try? Shape(shape.map { $0.value ?? 0 }),
      let tensor = try? Tensor(uninitialized: dataType, sizes)
    else { return nil }
    tensor.base.initializeMemory(as: UInt8.self, repeating: 0, count: tensor.byteCount)
    return StoredTensor(tensor)
  }
}
