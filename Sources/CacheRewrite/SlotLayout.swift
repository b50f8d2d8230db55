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

/// Names and types of the slots of one site, one for each slot of the rule and each stream.
struct SlotLayout {
  struct Entry {
    let slot: ScheduleLanguage.Slot
    let stream: Int
    let name: String
    let type: TensorType
  }

  let entries: [Entry]

  init(
    _ site: CachePlan.Site, rule: CacheRule, in graph: Graph, convention: StateConvention
  ) throws(CacheRewriteError) {
    var entries: [Entry] = []
    for slot in rule.reuse.slots {
      for (number, stream) in site.run.streams.enumerated() {
        guard let type = graph.tensorType(of: stream.output) ?? graph.tensorType(of: stream.input),
          let dataType = type.dataType, let shape = type.shape
        else {
          throw CacheRewriteError(
            "unknown-stream-type", at: site.name,
            "the type of '\(graph.name(of: stream.output))' is not known",
            hint: "export the model again with shapes, or pass --dim for its free dimensions")
        }
        entries.append(
          Entry(
            slot: slot, stream: number,
            name: ContractNames.slot(
              slot.name, stream: number, of: site.run.streams.count, site: site.name,
              rule: rule.name),
            type: TensorType(
              slot.storage?.dataType ?? dataType,
              Self.declared(shape, stream: number, of: site, convention: convention))))
      }
    }
    self.entries = entries
  }

  /// The shape that a slot is declared with.
  ///
  /// What varies gets a symbol of the slot's own: a slot is empty before the first call and may hold
  /// another size than the model's inputs have now. An optional slot whose sizes are all known gets a
  /// free token dimension, so that its default can be empty.
  private static func declared(
    _ shape: [Dimension], stream: Int, of site: CachePlan.Site, convention: StateConvention
  ) -> [Dimension] {
    var shape = shape
    let varying = shape.indices.filter { shape[$0].value == nil }
    if varying.isEmpty {
      guard convention == .optional, shape.count >= 2 else { return shape }
      let axis = shape.count - 2
      shape[axis] = Dimension(symbol: "ditcache_tokens_\(shape[axis])")
      return shape
    }
    let place = site.name.map { $0.isLetter || $0.isNumber ? $0 : "_" }
    for axis in varying {
      shape[axis] = Dimension(symbol: "ditcache_\(String(place))_\(stream)_\(axis)")
    }
    return shape
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
