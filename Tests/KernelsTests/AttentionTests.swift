import Foundation
import Kernels
import Tensors
import Testing

struct AttentionTests {
  struct Case: CustomTestStringConvertible {
    var heads = 2
    var keyHeads = 2
    var queries = 5
    var keys = 7
    var size = 4
    var valueSize = 3
    var mask: [Int]?
    var isBoolean = false
    var options = AttentionOptions()

    var testDescription: String {
      "\(queries)×\(keys), heads \(heads)/\(keyHeads), mask \(mask ?? []), \(options)"
    }
  }

  static let cases = [
    Case(), Case(heads: 6, keyHeads: 2), Case(queries: 130, keys: 33, size: 16, valueSize: 16),
    Case(mask: [5, 7]), Case(mask: [2, 1, 1, 7], isBoolean: true), Case(mask: [1], isBoolean: true),
    Case(mask: [2, 2, 5, 7]), Case(queries: 7, options: AttentionOptions(isCausal: true)),
    Case(queries: 3, options: AttentionOptions(scale: 0.3, isCausal: true, causalOffset: 4)),
    Case(queries: 5, options: AttentionOptions(isCausal: true, causalOffset: -2)),
    Case(mask: [5, 7], isBoolean: true, options: AttentionOptions(isCausal: true, softcap: 2)),
    Case(keys: 0), Case(queries: 1, keys: 1, size: 1, valueSize: 1),
  ]

  /// softmax(QKᵀ)V for one element of the output, as ONNX defines it.
  private func reference(
    _ test: Case, _ q: Tensor, _ k: Tensor, _ v: Tensor, _ mask: Tensor?, _ index: [Int]
  ) -> Double {
    let keyHead = index[1] / (test.heads / test.keyHeads)
    let scale = Double(test.options.scale ?? 1 / Float(test.size).squareRoot())
    var scores: [Double] = []
    var isHidden = true
    for key in 0..<test.keys {
      var score = 0.0
      for i in 0..<test.size {
        score += q.float([index[0], index[1], index[2], i]) * k.float([index[0], keyHead, key, i])
      }
      score *= scale
      if test.options.softcap > 0 {
        let cap = Double(test.options.softcap)
        score = tanh(score / cap) * cap
      }
      var bias = 0.0
      let place = [index[0], index[1], index[2], key]
      if let mask {
        bias =
          test.isBoolean
          ? (mask.element(place, as: Bool.self) ? 0 : -.infinity) : mask.float(place)
      }
      if test.options.isCausal, key > index[2] + test.options.causalOffset { bias = -.infinity }
      isHidden = isHidden && bias == -.infinity
      scores.append(score + bias)
    }
    if isHidden { return 0 }
    let weights = scores.map { exp($0) }
    let total = weights.reduce(0, +)
    return (0..<test.keys).reduce(0) {
      $0 + weights[$1] / total * v.float([index[0], keyHead, $1, index[3]])
    }
  }

  private func mask(_ test: Case, _ numbers: inout Numbers) throws -> Tensor? {
    guard let dimensions = test.mask else { return nil }
    let values = try numbers.tensor(dimensions)
    if !test.isBoolean {
      let hidden = values.elements(as: Float.self).map { $0 < -1 ? -Float.infinity : $0 }
      return Tensor(hidden, shape: values.shape)
    }
    var truths = values.elements(as: Float.self).map { $0 > -0.5 }
    for i in truths.indices.prefix(7) where dimensions.count > 1 { truths[i] = false }
    return Tensor(truths, shape: values.shape)
  }

  @Test(arguments: cases)
  func attentionIsSoftmaxOfScoresTimesValues(test: Case) throws {
    var numbers = Numbers(seed: 16)
    for layout in Layout.allCases {
      let q = try layout.tensor([2, test.heads, test.queries, test.size], &numbers)
      let k = try layout.tensor([2, test.keyHeads, test.keys, test.size], &numbers)
      let v = try layout.tensor([2, test.keyHeads, test.keys, test.valueSize], &numbers)
      let mask = try mask(test, &numbers)
      let output = try Tensor.output(
        .float32, [2, test.heads, test.queries, test.valueSize])
      try Attention.attend(
        query: q, key: k, value: v, mask: mask, options: test.options, into: output)
      expect(output, near: 2e-6, "\(layout)") { reference(test, q, k, v, mask, $0) }
    }
  }

  @Test func theOutputMayHaveHeadsInside() throws {
    let test = Case(queries: 70, keys: 9)
    var numbers = Numbers(seed: 17)
    let q = try numbers.tensor([2, test.heads, test.queries, test.size])
    let k = try numbers.tensor([2, test.keyHeads, test.keys, test.size])
    let v = try numbers.tensor([2, test.keyHeads, test.keys, test.valueSize])
    let memory = try Tensor.output(.float32, [2, test.queries, test.heads, test.valueSize])
    let output = memory.view(
      shape: try Shape([2, test.heads, test.queries, test.valueSize]),
      strides: [0, 2, 1, 3].map { memory.strides[$0] })
    try Attention.attend(query: q, key: k, value: v, into: output)
    expect(output, near: 2e-6) { reference(test, q, k, v, nil, $0) }
  }

  @Test func threadedAttentionIsRightAndTheSameTwice() throws {
    let test = Case(heads: 3, keyHeads: 3, queries: 200, keys: 150, size: 8, valueSize: 8)
    var numbers = Numbers(seed: 18)
    let q = try numbers.tensor([2, 3, 200, 8])
    let k = try numbers.tensor([2, 3, 150, 8])
    let v = try numbers.tensor([2, 3, 150, 8])
    let outputs = try withThreads(2) {
      try (0..<2).map { _ in
        let output = try Tensor.output(.float32, [2, 3, 200, 8])
        try Attention.attend(query: q, key: k, value: v, into: output)
        return output
      }
    }
    expect(outputs[0], near: 2e-6) { reference(test, q, k, v, nil, $0) }
    expectEqualBits(outputs[0], outputs[1])
  }
}
