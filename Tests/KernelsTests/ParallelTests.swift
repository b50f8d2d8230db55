import Foundation
import Kernels
import Synchronization
import Tensors
import Testing

private let threadCountInUse = Mutex(())

/// Runs `body` with a number of threads; tests that set it take turns.
func withThreads<Result>(_ count: Int, _ body: () throws -> Result) rethrows -> Result {
  try threadCountInUse.withLock { _ in
    Parallel.threadCount = count
    defer { Parallel.threadCount = 1 }
    return try body()
  }
}

struct ParallelTests {
  @Test func everyFamilyGivesTheSameBitsTwiceForAThreadCount() throws {
    var numbers = Numbers(seed: 19)
    let a = try numbers.tensor([40, 64, 65])
    let b = try numbers.tensor([65])
    let mixed = try numbers.tensor([65, 64, 40])
    let transposed = mixed.view(shape: a.shape, strides: mixed.strides.reversed())
    for threads in [2, 3] {
      let results = try withThreads(threads) {
        try (0..<2).map { _ in
          let sum = try Tensor.output(.float32, [40, 64, 65])
          try Elementwise.binary(.add, a, b, into: sum)
          let product = try Tensor.output(.float32, [40, 64, 65])
          try Elementwise.binary(.multiply, sum, transposed, into: product)
          let curve = try Tensor.output(.float32, [40, 64, 65])
          try Elementwise.unary(.gelu, product, into: curve)
          let norm = try Tensor.output(.float32, [40, 64, 65])
          try Normalization.layerNorm(
            curve, axis: 2, scale: nil, bias: nil, epsilon: 1e-6, into: norm)
          let weights = try Tensor.output(.float32, [40, 64, 65])
          try Normalization.softmax(norm, axis: 1, into: weights)
          let total = try Tensor.output(.float32, [64, 65])
          try Reduction.reduce(.sum, weights, axes: [0], into: total)
          return [sum, product, curve, norm, weights, total]
        }
      }
      for (first, second) in zip(results[0], results[1]) { expectEqualBits(first, second) }
      expect(results[0][0], near: 1e-7) { a.float($0) + b.float($0) }
      expect(results[0][1], near: 1e-7) { (a.float($0) + b.float($0)) * transposed.float($0) }
      expect(results[0][5], near: 1e-6) { index in
        (0..<40).reduce(0) { $0 + results[0][4].float([$1] + index) }
      }
    }
  }

  @Test func kernelsCalledFromSeveralThreadsAtOnceDoNotDisturbOneAnother() throws {
    var numbers = Numbers(seed: 20)
    let a = try numbers.tensor([300, 200])
    let b = try numbers.tensor([200, 300])
    let outputs = try (0..<8).map { _ in try Tensor.output(.float32, [300, 300]) }
    try withThreads(2) {
      DispatchQueue.concurrentPerform(iterations: 8) { i in
        try? MatrixMultiplication.multiply(a, b, into: outputs[i])
      }
      let wanted = try Tensor.output(.float32, [300, 300])
      try MatrixMultiplication.multiply(a, b, into: wanted)
      for output in outputs {
        expect(output, near: 1e-5) { wanted.float($0) }
      }
    }
  }
}
