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
        let suffix = site.run.streams.count == 1 ? "" : "_\(number)"
        entries.append(
          Entry(
            slot: slot, stream: number,
            name: ContractNames.slot(slot.name + suffix, site: site.name, rule: rule.name),
            type: TensorType(
              slot.storage?.dataType ?? dataType,
              convention == .optional ? Self.withFreeTokens(shape) : shape)))
      }
    }
    self.entries = entries
  }

  /// The shape with its token dimension free, so that it can have length zero.
  private static func withFreeTokens(_ shape: [Dimension]) -> [Dimension] {
    guard shape.count >= 2, shape.allSatisfy({ $0.value != nil }) else { return shape }
    var shape = shape
    let axis = shape.count - 2
    shape[axis] = Dimension(symbol: "ditcache_tokens_\(shape[axis])")
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

  /// Bytes of one tensor, when all sizes are known; `sizes` replaces a free token dimension.
  func byteCount(like sizes: [Dimension]?) -> Int? {
    guard let dataType, let shape = TensorType(dataType, sizes ?? self.shape).concreteShape else {
      return nil
    }
    return try? Checked.product(shape.elementCount, dataType.byteCount)
  }
}
