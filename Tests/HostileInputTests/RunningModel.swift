import DiTCache
import GraphIR
import Interpreter
import Tensors
import TestSupport
import Testing

/// A model that is run in this process, on an input `x` of two floats.
struct RunningModel {
  let engine: Engine

  init(_ bytes: [UInt8], in folder: TemporaryFolder) throws {
    let model = try LoadedModel(folder.write(bytes, to: "running.onnx"))
    engine = try Engine(model.graph, options: EngineOptions(threads: 1))
  }

  /// The numbers of the output `y`.
  func run(_ x: [Float]) throws -> [Float] {
    let outputs = try engine.run([Name("x"): Tensor(x)], trace: nil)
    return try #require(outputs[Name("y")]).elements(as: Float.self)
  }

  func expect(_ x: [Float], gives y: [Float]) throws {
    let numbers = try run(x)
    #expect(numbers.count == y.count)
    for (number, due) in zip(numbers, y) { #expect(abs(number - due) < 1e-6, "\(numbers)") }
  }
}
