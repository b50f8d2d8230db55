import DiTCache
import Foundation
import TestSupport
import Testing

@Suite("bench") struct BenchTaskTests {
  /// The choice is a setting of the process, so this has one of its own.
  @Test("the report names the kernels of products, as they were asked for, and their rates")
  func products() async {
    await #expect(processExitsWith: .success) {
      for word in ["own", "openblas"] {
        let model = try LoadedModel(Fixtures.corpus("wan.onnx"))
        let style = try ComputeStyle(fuses: true, isBFloat16: false, products: word)
        let report = try BenchTask(threads: 1, style: style, repeats: 1)
          .run(model, input: nil, schedule: nil)
        let json = try JSONSerialization.jsonObject(with: JSONEncoder().encode(report))
        let products = try #require((json as? [String: Any])?["products"] as? [String: Any])
        #expect(products["kernels"] as? String == word)
        let level = try #require(products["level"] as? String)
        #expect(["baseline", "neon", "avx2", "avx512"].contains(level))
        for key in ["own_gflops", "openblas_gflops"] {
          #expect(try #require(products[key] as? Double) > 0.1)
        }
        #expect(products["openblas_core"] as? String != "")
      }
    }
  }

  @Test("a word that names no kernels is a usage error")
  func unknownWord() {
    #expect(throws: UsageError.self) {
      try ComputeStyle(fuses: true, isBFloat16: false, products: "mkl")
    }
  }
}
