import GraphIR

/// The sizes of an attention, checked against one another.
struct AttentionShape {
  let batch: Dimension
  let heads: Dimension
  let queries: Dimension
  let keys: Dimension
  let valueSize: Dimension
  let keyHeads: Dimension
  let keySize: Dimension

  init(
    query: [Dimension], key: [Dimension], value: [Dimension], queryHeads: Int?,
    keyHeads keyHeadCount: Int?, past: Dimension
  ) throws(OperatorError) {
    guard [3, 4].contains(query.count), key.count == query.count, value.count == query.count
    else { throw .badOperands("shapes \(query), \(key) and \(value) have no attention") }
    let q = try Self.split(query, queryHeads, "q_num_heads")
    let k = try Self.split(key, keyHeadCount, "kv_num_heads")
    let v = try Self.split(value, keyHeadCount, "kv_num_heads")
    for (a, b, what) in [
      (q[0], k[0], "batch sizes"), (q[0], v[0], "batch sizes"), (k[1], v[1], "numbers of heads"),
      (k[2], v[2], "numbers of keys and values"), (q[3], k[3], "sizes of queries and keys"),
    ] {
      if let a = a.value, let b = b.value, a != b {
        throw .badOperands("\(what) \(a) and \(b) differ")
      }
    }
    if let own = q[1].value, let shared = k[1].value, shared == 0 || own % shared != 0 {
      throw .badOperands("\(own) heads cannot share \(shared) heads of keys")
    }
    (batch, heads, queries, keys, valueSize) = (q[0], q[1], q[2], past + k[2], v[3])
    (keyHeads, keySize) = (k[1], k[3])
  }

  /// Refuses a mask that does not broadcast to the scores.
  func require(mask: [Dimension], mayBeShort: Bool) throws(OperatorError) {
    let scores = [batch, heads, queries, keys]
    let isShort = mask.last?.value.flatMap { own in keys.value.map { own <= $0 } } ?? true
    let fits =
      (1...4).contains(mask.count) && (isShort || !mayBeShort)
      && zip(mask.reversed(), scores.reversed()).dropFirst(mayBeShort ? 1 : 0).allSatisfy {
        $0 == $1 || $0 == 1 || $0.value == nil || $1.value == nil
      }
    guard fits else {
      throw .badOperands("a mask of shape \(mask) does not broadcast to scores \(scores)")
    }
  }

  /// The shape of the keys and of the values, those of the past included.
  var present: (keys: [Dimension], values: [Dimension]) {
    ([batch, keyHeads, keys, keySize], [batch, keyHeads, keys, valueSize])
  }

  /// The shape of the scores.
  var scores: [Dimension] { [batch, heads, queries, keys] }

  func output(isFlat: Bool) -> [Dimension] {
    isFlat ? [batch, queries, heads * valueSize] : [batch, heads, queries, valueSize]
  }

  private static func split(
    _ shape: [Dimension], _ heads: Int?, _ attribute: String
  ) throws(OperatorError) -> [Dimension] {
    guard shape.count == 3 else { return shape }
    guard let heads else {
      throw .badOperands("attribute '\(attribute)' is missing for operands of rank 3")
    }
    guard (shape[2].value ?? 0) % heads == 0,
      let size = shape[2].floorDivided(by: Dimension(heads))
    else { throw .badOperands("\(shape[2]) elements do not form \(heads) heads") }
    return [shape[0], Dimension(heads), shape[1], size]
  }
}
