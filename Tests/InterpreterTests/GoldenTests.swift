import GraphIR
import Interpreter
import OnnxFile
import Operators
import TensorFiles
import Tensors
import TestSupport
import Testing

/// Whole models against what PyTorch computed.
@Suite struct GoldenTests {
  /// A model and a file of inputs and outputs for it.
  struct Golden: CustomTestStringConvertible {
    let model: String
    let data: String
    let tolerance: Float
    /// Whether every size is known before the run; elements of a sequence may differ in theirs.
    let isPlannedWhole: Bool
    let testDescription: String

    init(
      _ model: String, data: String? = nil, tolerance: Float = 1e-4, isPlannedWhole: Bool = true
    ) {
      self.model = model
      self.isPlannedWhole = isPlannedWhole
      self.data = data ?? model
      self.tolerance = tolerance
      testDescription = self.data
    }
  }

  static let goldens =
    ["wan", "hunyuan"].flatMap { family in
      ["", "_dyn", "_opset23", "_ext"].map { Golden(family + $0) }
        + ["b1f3h8w12l7", "b2f4h12w6l11", "b3f2h4w10l5"].map {
          Golden("\(family)_dyn", data: "\(family)_dyn__\($0)")
        }
    }
    + [
      "wan_opset18", "wan_ts17", "wan_ortopt", "wan_stripped", "hunyuan_ts17",
      "hunyuan_stripped", "flux", "cogvideox", "ltx", "dit",
    ].map { Golden($0) }
    + [Golden("wan_unopt", isPlannedWhole: false)]
    + ["wan", "hunyuan"].flatMap { family in
      [
        Golden("\(family)_fp16", tolerance: 1e-2), Golden("\(family)_bf16", tolerance: 5e-2),
      ]
    }

  @Test(arguments: goldens, [true, false])
  func outputsAgreeWithPyTorch(golden: Golden, fusesOperators: Bool) throws {
    let model = try OnnxModel.read(Fixtures.corpus("\(golden.model).onnx"))
    let engine = try Engine(
      model.graph,
      options: EngineOptions(checksResultTypes: true, fusesOperators: fusesOperators))
    let data = try NPZFile(readingFrom: Fixtures.corpus("\(golden.data).npz"))
    var feeds: [Name: Tensor] = [:]
    for port in engine.inputs { feeds[port.name] = try data.tensor("in/\(port.name)") }
    feeds = try engine.converted(feeds)
    let outputs = try engine.run(feeds)
    #expect(!outputs.isEmpty)
    let plan = try engine.plan(for: feeds.mapValues(\.shape))
    #expect(
      (plan.statistics.openStepCount == 0) == golden.isPlannedWhole, "types known before the run")
    #expect(plan.statistics.flops != nil)
    for (name, output) in outputs {
      let expected = try data.tensor("out/\(name)")
      try #require(output.shape == expected.shape)
      let (actual, wanted) = (
        try output.converted(to: .float32), try expected.converted(to: .float32)
      )
      let distances = zip(actual.elements(as: Float.self), wanted.elements(as: Float.self))
        .map { abs($0 - $1) }
      #expect(distances.allSatisfy { $0 <= golden.tolerance }, "\(name): \(distances.max() ?? 0)")
    }
  }
}
