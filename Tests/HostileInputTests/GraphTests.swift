import Foundation
import GraphIR
import OnnxFile
import Tensors
import TestSupport
import Testing

private let structures: [HostileCase] = [
  HostileCase("B8 no outputs", "malformed-model") { $0.outputs = [] },
  HostileCase("B2 a result named as an initializer", "malformed-model") {
    $0.initializers = [WireModel.tensor("w")]
    $0.nodes += [WireModel.node("Neg", ["x"], ["w"])]
  },
  HostileCase("B2 one node that gives a value twice", "malformed-model") {
    $0.nodes = [WireModel.node("Split", ["x"], ["y", "y"])]
  },
  HostileCase("B2 an input twice", "malformed-model") { $0.inputs = ["x", "x"] },
  HostileCase("B15 IR version 0", "unsupported-model") { $0.irVersion = 0 },
  HostileCase("B15 no IR version", "unsupported-model") { $0.irVersion = nil },
  HostileCase("B15 IR version 2^60", "unsupported-model") { $0.irVersion = 1 << 60 },
  HostileCase("B13 a call that does not fit its function", "malformed-model") {
    $0.extra.message(25) { $0.text(1, "Identity") }
  },
  HostileCase("B15 no operator set", "malformed-model") { $0.opsets = [] },
  HostileCase("B15 an operator set twice", "malformed-model") { $0.opsets += [("ai.onnx", 17)] },
  HostileCase("B15 operator set 2^40", "unsupported-model") { $0.opsets = [("", 1 << 40)] },
  HostileCase("B15 operator set -1", "unsupported-model") { $0.opsets = [("", -1)] },
  HostileCase("B3 an undefined operand", "malformed-model") {
    $0.nodes = [WireModel.node("Identity", ["z"], ["y"])]
  },
  HostileCase("B3 an undefined output", "malformed-model") { $0.outputs = ["z"] },
  HostileCase("B3 an output without name", "malformed-model") { $0.outputs = [""] },
  HostileCase("C6 an input without name", "malformed-model") { $0.inputs += [""] },
  HostileCase("B2 a value computed twice", "malformed-model") { $0.nodes += $0.nodes },
  HostileCase("B2 a result named as an input", "malformed-model") {
    $0.nodes += [WireModel.node("Neg", ["y"], ["x"])]
  },
  HostileCase("D9 an initializer twice", "malformed-model") {
    $0.initializers = [WireModel.tensor(), WireModel.tensor()]
  },
  HostileCase("D10 an initializer without name", "malformed-model") {
    $0.initializers = [WireModel.tensor("")]
  },
  HostileCase("B14 a node without operator", "malformed-model") {
    $0.nodes = [WireModel.node("", ["x"], ["y"])]
  },
  HostileCase("B1 a circle", "cyclic-graph") {
    $0.nodes = [WireModel.node("Neg", ["b"], ["y"]), WireModel.node("Neg", ["y"], ["b"])]
  },
  HostileCase("B1 a node that reads itself", "cyclic-graph") {
    $0.nodes = [WireModel.node("Neg", ["y"], ["y"])]
  },
  HostileCase("C3 a name of 5,000 bytes", "model-limit") {
    $0.inputs += [String(repeating: "n", count: 5000)]
  },
  HostileCase("B17 an attribute twice", "malformed-model") {
    $0.nodes = [
      WireModel.node("Identity", ["x"], ["y"]) { node in
        for _ in 0..<2 {
          node.message(5) {
            $0.text(1, "axis")
            $0.int(3, 1)
            $0.int(20, 2)
          }
        }
      }
    ]
  },
  HostileCase("B17 a reference to a function's attribute", "malformed-model") {
    $0.nodes = [
      WireModel.node("Identity", ["x"], ["y"]) { node in
        node.message(5) {
          $0.text(1, "axis")
          $0.int(20, 2)
          $0.text(21, "outer")
        }
      }
    ]
  },
  HostileCase("B17 300 attributes", "model-limit") {
    $0.nodes = [
      WireModel.node("Identity", ["x"], ["y"]) { node in
        for number in 0..<300 { node.message(5) { $0.text(1, "a\(number)") } }
      }
    ]
  },
  HostileCase("B10 a name of the graph around a branch", "malformed-model") { $0 = branched("y") },
  HostileCase("B10 a branch that reads what nothing defines", "malformed-model") {
    $0 = branched("inner", reading: "nothing")
  },
]

private func branched(_ result: String, reading operand: String = "x") -> WireModel {
  var model = WireModel()
  model.nodes = [
    WireModel.node("If", ["x"], ["y"]) { node in
      node.message(5) { attribute in
        attribute.text(1, "then_branch")
        attribute.message(6) { graph in
          graph.data(1, WireModel.node("Neg", [operand], [result]))
          graph.data(12, WireModel.value(result))
        }
        attribute.int(20, 5)
      }
    }
  ]
  return model
}

/// Part B of the list: graphs.
@Suite struct GraphTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: structures)
  func badGraphsAreRefused(_ bad: HostileCase) throws {
    try folder.expectRefusal(of: bad.bytes, bad.code)
  }

  @Test func b1_theCircleIsNamed() throws {
    let bytes = WireModel.with {
      $0.nodes = [WireModel.node("Neg", ["b"], ["y"]), WireModel.node("Neg", ["y"], ["b"])]
    }
    let error = try folder.expectRefusal(of: bytes, "cyclic-graph")
    #expect(error?.description.contains("Neg") == true)
  }

  @Test func b4_nodesInAnyOrderAreSorted() throws {
    let bytes = WireModel.with {
      $0.nodes = [WireModel.node("Neg", ["b"], ["y"]), WireModel.node("Neg", ["x"], ["b"])]
    }
    let model = try OnnxModel.read(folder.write(bytes, to: "unsorted.onnx"))
    #expect(model.graph.order.map { model.graph[$0].origin?.index } == [1, 0])
    let out = folder.path("out.onnx")
    try model.write(model.graph, to: out)
    let restored = try OnnxModel.read(out).restoreOriginal(to: folder.path("back.onnx"))
    #expect(restored.outcome == .identical)
  }

  /// A chain of `count` nodes, last first when `isReversed`.
  private func chain(_ count: Int, isReversed: Bool = false) -> [UInt8] {
    var names = ["x"]
    for index in 1..<count { names.append("v\(index)") }
    names.append("y")
    let nodes = (0..<count).map { WireModel.node("Neg", [names[$0]], [names[$0 + 1]]) }
    return WireModel.with { $0.nodes = isReversed ? nodes.reversed() : nodes }
  }

  @Test(arguments: [false, true])
  func b5_aLongChainNeedsNoDeepStack(_ isReversed: Bool) throws {
    let count = TestTier.current >= .full ? 1_000_000 : 100_000
    let path = try folder.write(chain(count, isReversed: isReversed), to: "chain.onnx")
    let command = try Command(
      ["inspect", path, "--json"], in: folder, prelude: "ulimit -s 8192")
    #expect(command.status == 0, "\(command)")
    #expect(command.output.contains("\(count)"))
  }

  @Test func b5_oneNodeMoreThanTheLimitIsRefused() throws {
    var limits = OnnxLimits()
    limits.nodeCount = 100
    #expect(try folder.read(chain(100), limits: limits).graph.order.count == 100)
    try folder.expectRefusal(of: chain(101), "model-limit", limits: limits)
  }

  @Test func b6_oneValueMayBeUsedByMany() throws {
    let count = TestTier.current >= .full ? 1_000_000 : 100_000
    let wide = WireModel.with {
      $0.nodes =
        (1..<count).map { WireModel.node("Neg", ["x"], ["v\($0)"]) }
        + [WireModel.node("Neg", ["x"], ["y"])]
    }
    let path = try folder.write(wide, to: "wide.onnx")
    let command = try Command(["inspect", path, "--json"], in: folder)
    #expect(command.status == 0, "\(command)")
  }

  @Test func b6_aNodeMayHaveAHundredThousandInputs() throws {
    let bytes = WireModel.with {
      $0.nodes = [
        WireModel.node("Concat", [String](repeating: "x", count: 100_000), ["y"]) { node in
          node.message(5) {
            $0.text(1, "axis")
            $0.int(3, 0)
            $0.int(20, 2)
          }
        }
      ]
    }
    let path = try folder.write(bytes, to: "many.onnx")
    let command = try Command(["inspect", path], in: folder)
    #expect(command.status == 0 || command.errors.contains("error:"), "\(command)")
    #expect(command.status < 70, "\(command)")
  }

  @Test func b7_aMillionPathsTakeLinearTime() throws {
    var nodes: [[UInt8]] = []
    var top = "x"
    for index in 0..<64 {
      nodes.append(WireModel.node("Neg", [top], ["a\(index)"]))
      nodes.append(WireModel.node("Abs", [top], ["b\(index)"]))
      nodes.append(WireModel.node("Add", ["a\(index)", "b\(index)"], ["c\(index)"]))
      top = "c\(index)"
    }
    nodes.append(WireModel.node("Identity", [top], ["y"]))
    let path = try folder.write(WireModel.with { $0.nodes = nodes }, to: "ladder.onnx")
    let command = try Command(["inspect", path], in: folder)
    #expect(command.status == 0, "\(command)")
    try folder.write(
      Data("schedule a for any { cache stack { keep delta refresh every 2 } }".utf8)
        .map { $0 }, to: "s.dcs")
    let rewrite = try Command(
      ["rewrite", path, "--schedule", "s.dcs", "--steps", "4", "-o", "out.onnx"], in: folder)
    #expect([0, 3, 4].contains(rewrite.status), "\(rewrite)")
  }

  @Test func b8_anInputMayBeTheOutput() throws {
    let bytes = WireModel.with {
      $0.nodes = []
      $0.outputs = ["x"]
    }
    #expect(try folder.read(bytes).graph.order.isEmpty)
    try folder.write(bytes, to: "through.onnx")
    let command = try Command(["inspect", "through.onnx"], in: folder)
    #expect(command.status == 0, "\(command)")
  }

  @Test func b9_nodeNamesMayBeMissingOrRepeated() throws {
    let bytes = WireModel.with {
      $0.nodes = [
        WireModel.node("Neg", ["x"], ["a"]) { $0.text(3, "same") },
        WireModel.node("Neg", ["a"], ["b"]) { $0.text(3, "same") },
        WireModel.node("Frob", ["b"], ["y"]),
      ]
    }
    let path = try folder.write(bytes, to: "named.onnx")
    let command = try folder.expectFailure(
      4, "run", path, "--input", try folder.write(FeedFile.x, to: "x.npz"))
    #expect(command.errors.contains("Frob"))
  }

  private static func boolean(_ node: inout Wire) {
    node.message(5) {
      $0.text(1, "to")
      $0.int(3, 9)
      $0.int(20, 2)
    }
  }

  @Test(arguments: [0, 1, 2, 3])
  func b11_controlFlowWithoutItsGraphsIsRefused(_ number: Int) throws {
    let branch: (inout Wire, String) -> Void = { node, name in
      node.message(5) { attribute in
        attribute.text(1, name)
        attribute.message(6) { graph in
          graph.data(1, WireModel.node("Neg", ["x"], ["in_" + name]))
          graph.data(12, WireModel.value("in_" + name))
        }
        attribute.int(20, 5)
      }
    }
    let node =
      switch number {
      case 0: WireModel.node("If", ["c"], ["y"]) { branch(&$0, "then_branch") }
      case 1: WireModel.node("If", ["c"], ["y"])
      case 2:
        WireModel.node("If", ["c"], ["y", "z"]) {
          branch(&$0, "then_branch")
          branch(&$0, "else_branch")
        }
      default: WireModel.node("Loop", ["", "c", "x"], ["y"])
      }
    let bytes = WireModel.with {
      $0.nodes = [WireModel.node("Cast", ["s"], ["c"]) { Self.boolean(&$0) }, node]
      $0.initializers = [WireModel.tensor("s", dims: [], raw: 4)]
    }
    let path = try folder.write(bytes, to: "flow.onnx")
    let command = try Command(
      ["run", path, "--input", try folder.write(FeedFile.x, to: "x.npz")], in: folder)
    #expect([2, 4, 64].contains(command.status), "\(command)")
  }

  /// Functions that call one another: `calls[i]` are the positions that function i calls.
  private func functions(_ calls: [[Int]]) -> [UInt8] {
    WireModel.with { model in
      model.irVersion = 8
      model.opsets.append(("local", 1))
      model.nodes = [WireModel.node("f0", ["x"], ["y"]) { $0.text(7, "local") }]
      for (index, called) in calls.enumerated() {
        model.extra.message(25) { function in
          function.text(1, "f\(index)")
          function.text(4, "a")
          function.text(5, "z")
          var last = "a"
          for (position, callee) in called.enumerated() {
            let result = position == called.count - 1 ? "z" : "t\(position)"
            function.data(
              7, WireModel.node("f\(callee)", [last], [result]) { $0.text(7, "local") })
            last = result
          }
          if called.isEmpty { function.data(7, WireModel.node("Neg", ["a"], ["z"])) }
          function.message(9) { $0.int(2, 17) }
          function.message(9) {
            $0.text(1, "local")
            $0.int(2, 1)
          }
          function.text(10, "local")
        }
      }
    }
  }

  @Test(arguments: [[[0]], [[1], [0]], [[1], [2], [1]]])
  func b12_functionsThatCallThemselvesAreRefused(_ calls: [[Int]]) throws {
    let path = try folder.write(functions(calls), to: "circle.onnx")
    let error = #expect(throws: OnnxFileError.self) { try OnnxModel.read(path) }
    #expect(error?.category == .badModel)
  }

  @Test func b13_functionsThatDoubleSixtyTimesAreRefused() throws {
    let calls = (0..<60).map { [$0 + 1, $0 + 1] } + [[]]
    let path = try folder.write(functions(calls), to: "doubling.onnx")
    let start = processorSeconds()
    let error = #expect(throws: OnnxFileError.self) { try OnnxModel.read(path) }
    #expect(error?.category == .overLimit)
    #expect(processorSeconds() - start < 5)
  }

  @Test func b13_aHundredThousandFunctionsAreReadOrRefusedInLinearTime() throws {
    let path = try folder.write(
      functions([[]] + [[Int]](repeating: [], count: 100_000)), to: "many.onnx")
    let start = processorSeconds()
    do { try OnnxModel.read(path).graph.verify() } catch is OnnxFileError {}
    #expect(processorSeconds() - start < 5)
  }

  @Test func b14_allUnknownOperatorsAreListedAtOnce() throws {
    let bytes = WireModel.with {
      $0.opsets += [("com.nobody", 1)]
      $0.nodes = [
        WireModel.node("Frobnicate", ["x"], ["a"]),
        WireModel.node("Transmogrify", ["a"], ["b"]),
        WireModel.node("Neg", ["b"], ["y"]) { $0.text(7, "com.nobody") },
      ]
    }
    let path = try folder.write(bytes, to: "unknown.onnx")
    let command = try folder.expectFailure(
      4, "run", path, "--input", try folder.write(FeedFile.x, to: "x.npz"))
    for name in ["Frobnicate", "Transmogrify", "com.nobody"] {
      #expect(command.errors.contains(name), "\(command)")
    }
  }

  @Test func b15_theVersionsAreInTheMessage() throws {
    let version = try folder.expectRefusal(
      of: WireModel.with { $0.irVersion = 99 }, "unsupported-model")
    #expect(version?.message.contains("99") == true && version?.message.contains("13") == true)
    let opset = try folder.expectRefusal(
      of: WireModel.with { $0.opsets = [("", 1 << 40)] }, "unsupported-model")
    #expect(opset?.message.contains("1099511627776") == true)
  }

  /// Softmax took the trailing axes together until operator set 13, which changes the result.
  @Test func b16_anOperatorOfAnOlderSetMeansWhatItMeantThenOrIsRefused() throws {
    let bytes = WireModel.with {
      $0.opsets = [("", 12)]
      $0.nodes = [
        WireModel.node("Reshape", ["x", "s"], ["r"]),
        WireModel.node("Softmax", ["r"], ["y"]) { node in
          node.message(5) {
            $0.text(1, "axis")
            $0.int(3, 0)
            $0.int(20, 2)
          }
        },
      ]
      $0.initializers = [
        WireModel.tensor("s", dims: [2], type: 7, raw: nil) { $0.data(7, [2, 1]) }
      ]
    }
    try RunningModel(bytes, in: folder).expect([1, 2], gives: [0.268_941_4, 0.731_058_6])
  }

  @Test func b17_attributesOfUnknownKindsSurvive() throws {
    let bytes = WireModel.with {
      $0.nodes = [
        WireModel.node("Identity", ["x"], ["y"]) { node in
          node.message(5) {
            $0.text(1, "strange")
            $0.int(20, 99)
          }
        }
      ]
    }
    let model = try OnnxModel.read(folder.write(bytes, to: "strange.onnx"))
    guard case .opaque? = model.graph[model.graph.order[0]].attribute("strange") else {
      Issue.record("the attribute should be opaque")
      return
    }
    try model.write(to: folder.path("out.onnx"))
    let again = try OnnxModel.read(folder.path("out.onnx"))
    #expect(again.fileByteCount == bytes.count)
  }

  @Test func b17_anUnknownAttributeStopsTheRun() throws {
    let bytes = WireModel.with {
      $0.nodes = [
        WireModel.node("Identity", ["x"], ["y"]) { node in
          node.message(5) {
            $0.text(1, "sharpen")
            $0.int(3, 1)
            $0.int(20, 2)
          }
        }
      ]
    }
    let path = try folder.write(bytes, to: "attribute.onnx")
    let command = try folder.expectFailure(
      4, "run", path, "--input", try folder.write(FeedFile.x, to: "x.npz"))
    #expect(command.errors.contains("sharpen"), "\(command)")
  }

  @Test func b18_whatTheInterpreterDoesNotReadIsWrittenBack() throws {
    let bytes = WireModel.with { model in
      model.extra.message(20) { $0.data(2, WireModel().graph) }
      model.extra.message(25) { $0.text(1, "Unused") }
      model.extra.message(26) { $0.text(1, "device") }
      model.extraInGraph.message(14) { $0.text(1, "x") }
    }
    let model = try folder.read(bytes)
    try model.write(to: folder.path("out.onnx"))
    #expect(try folder.bytes("out.onnx") == bytes)
    try model.write(model.graph, to: folder.path("rewritten.onnx"))
    let restored = try OnnxModel.read(folder.path("rewritten.onnx"))
      .restoreOriginal(to: folder.path("back.onnx"))
    #expect(restored.outcome == .identical)
  }
}
