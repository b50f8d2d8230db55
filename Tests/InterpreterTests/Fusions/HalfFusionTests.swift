import GraphIR
import Interpreter
import Operators
import Tensors
import Testing

/// Fusions of graphs that compute in half types.
@Suite struct HalfFusionTests {
  static let types: [DataType] = [.float16, .bfloat16]

  @Test(arguments: types, [false, true])
  func gatesAndResidualsReadWhatTheModelRounds(type: DataType, isGatedInFloat32: Bool) throws {
    var noise = Noise()
    let (weight, bias) = (try noise.tensor(40, 56), try noise.tensor(56))
    let feeds: [Name: Tensor] = [
      "x": try noise.tensor(2, 50, 40), "r": try noise.tensor(2, 50, 56),
      "g": try noise.tensor(2, 1, 56),
    ]
    let result = try HalfHarness(type, feeds) { graph, type in
      let x = graph.addInput("x", type: .tensor(type, [2, 50, 40]))
      var residual = graph.addInput("r", type: .tensor(type, [2, 50, 56]))
      var gate = graph.addInput("g", type: .tensor(type, [2, 1, 56]))
      var value = graph.emit("MatMul", [x, try graph.stored(weight, as: type)])
      value = graph.emit("Add", [value, try graph.stored(bias, as: type)])
      if isGatedInFloat32 {
        (value, residual, gate) = (
          graph.cast(value, to: .float32), graph.cast(residual, to: .float32),
          graph.cast(gate, to: .float32)
        )
      }
      value = graph.emit("Add", [residual, graph.emit("Mul", [value, gate])])
      if isGatedInFloat32 { value = graph.cast(value, to: type) }
      graph.addOutput(graph.emit("Neg", [value], name: "y"))
    }
    #expect(result.changes == ["fused-linear: a product with bias, factor, addend"])
    #expect(result.declined.isEmpty)
  }

  @Test(arguments: types, [false, true])
  func whatAGateReadsMayBeCutOffWithoutOtherBits(type: DataType, isGatedInFloat32: Bool) throws {
    var noise = Noise()
    let (weight, bias) = (try noise.tensor(40, 56), try noise.tensor(56))
    let feeds: [Name: Tensor] = [
      "x": try noise.tensor(2, 50, 40), "r": try noise.tensor(2, 50, 56),
      "g": try noise.tensor(2, 1, 56),
    ]
    func outputs(isCut: Bool) throws -> Tensor {
      var graph = Graph(opsets: ["": 20])
      let x = graph.addInput("x", type: .tensor(type, [2, 50, 40]))
      let stored = graph.addInput("r", type: .tensor(type, [2, 50, 56]))
      let gate = graph.addInput("g", type: .tensor(type, [2, 1, 56]))
      let product = graph.emit("MatMul", [x, try graph.stored(weight, as: type)])
      let sum = graph.emit("Add", [product, try graph.stored(bias, as: type)])
      if isCut { graph.addOutput(graph.emit("Identity", [sum], name: "cut")) }
      let inner = isGatedInFloat32 ? .float32 : type
      let gated = graph.emit("Mul", [graph.cast(sum, to: inner), graph.cast(gate, to: inner)])
      let value = graph.emit("Add", [graph.cast(stored, to: inner), gated])
      graph.addOutput(graph.emit("Neg", [graph.cast(value, to: type)], name: "y"))
      let engine = try Engine(graph)
      return try #require(try engine.run(engine.converted(feeds))["y"]).converted(to: .float32)
    }
    let (whole, cut) = (try outputs(isCut: false), try outputs(isCut: true))
    #expect(whole.elements(as: Float.self) == cut.elements(as: Float.self))
  }

  @Test(arguments: types) func aRoundingEndsAnEpilogue(type: DataType) throws {
    var noise = Noise()
    let (weight, factor) = (try noise.tensor(40, 56), try noise.tensor(56))
    let feeds: [Name: Tensor] = ["x": try noise.tensor(30, 40), "r": try noise.tensor(30, 56)]
    let result = try HalfHarness(type, feeds) { graph, type in
      let x = graph.addInput("x", type: .tensor(type, [30, 40]))
      let residual = graph.addInput("r", type: .tensor(type, [30, 56]))
      let product = graph.emit("MatMul", [x, try graph.stored(weight, as: type)])
      let wide = graph.emit(
        "Mul", [graph.cast(product, to: .float32), try graph.stored(factor, as: .float32)])
      graph.addOutput(graph.emit("Add", [graph.cast(wide, to: type), residual], name: "y"))
    }
    #expect(result.changes == ["fused-linear: a product with factor"])
  }

  @Test(arguments: types) func aStoredWeightIsWidenedInItsProduct(type: DataType) throws {
    var noise = Noise()
    var graph = Graph(opsets: ["": 20])
    let x = graph.addInput("x", type: .float32(30, 40))
    let weight = graph.cast(try graph.stored(noise.tensor(40, 56), as: type), to: .float32)
    graph.addOutput(graph.emit("MatMul", [x, weight], name: "y"))
    let result = try FusionHarness(graph, ["x": noise.tensor(30, 40)], tolerance: 0)
    #expect(result.changes == ["fused-linear: a product"])
    let engine = try Engine(graph)
    let statistics = try engine.plan(for: ["x": Shape([30, 40])]).statistics
    #expect(statistics.constantByteCount == 40 * 56 * 2)
  }

  /// Where a norm of half types changes its type.
  enum Norm: CaseIterable { case float32Between, casts, rounding }

  @Test(arguments: types, Norm.allCases)
  func normsTakeTheirCastsIn(type: DataType, norm: Norm) throws {
    var noise = Noise()
    let weight = try noise.tensor(30)
    let feeds: [Name: Tensor] = [
      "x": try noise.tensor(2, 7, 30), "f": try noise.tensor(2, 1, 30),
      "s": try noise.tensor(2, 1, 30),
    ]
    let result = try HalfHarness(type, feeds, isExact: norm != .rounding) { graph, type in
      let x = graph.addInput("x", type: .tensor(type, [2, 7, 30]))
      let factor = graph.addInput("f", type: .tensor(type, [2, 1, 30]))
      let shift = graph.addInput("s", type: .tensor(type, [2, 1, 30]))
      let inner = norm == .rounding ? type : .float32
      let ones = try graph.stored(
        Tensor([Float](repeating: 1, count: 30), shape: .vector(30)), as: inner)
      var value = norm == .rounding ? x : graph.cast(x, to: .float32)
      value = graph.emit("LayerNormalization", [value, ones], [Attribute("axis", .int(-1))])
      if norm != .casts {
        let (a, b) = (graph.cast(factor, to: inner), graph.cast(shift, to: inner))
        value = graph.emit("Add", [graph.emit("Mul", [value, a]), b])
      }
      value = norm == .rounding ? value : graph.cast(value, to: type)
      value = graph.emit("Mul", [value, try graph.stored(weight, as: type)])
      graph.addOutput(graph.emit("Identity", [value], name: "y"))
    }
    let due = norm == .casts ? "its casts" : "its modulation"
    #expect(
      result.changes.filter { !$0.hasPrefix("no-op") } == ["fused-modulation: a norm with \(due)"])
  }

  @Test(arguments: types, [false, true])
  func rootMeanSquareNormsAreRoundedOnce(type: DataType, isWeightedInFloat32: Bool) throws {
    var noise = Noise()
    let weight = try noise.tensor(30)
    let feeds = ["x": try noise.tensor(2, 7, 30)] as [Name: Tensor]
    let result = try HalfHarness(type, feeds, isExact: isWeightedInFloat32) { graph, type in
      let x = graph.addInput("x", type: .tensor(type, [2, 7, 30]))
      let wide = graph.cast(x, to: .float32)
      let mean = graph.emit(
        "ReduceMean", [graph.emit("Pow", [wide, graph.scalar(2)]), graph.integers(-1)])
      let root = graph.emit("Sqrt", [graph.emit("Add", [mean, graph.scalar(1e-6)])])
      var value = graph.emit("Mul", [wide, graph.emit("Reciprocal", [root])])
      if !isWeightedInFloat32 { value = graph.cast(value, to: type) }
      let own: DataType = isWeightedInFloat32 ? .float32 : type
      value = graph.emit("Mul", [value, try graph.stored(weight, as: own)])
      if isWeightedInFloat32 { value = graph.cast(value, to: type) }
      graph.addOutput(graph.emit("Neg", [value], name: "y"))
    }
    #expect(
      result.changes.filter { !$0.hasPrefix("no-op") } == [
        "fused-rms-norm: a norm in one pass"
      ])
  }

  @Test(arguments: types, [false, true])
  func rotationsTakeTheirCastsIn(type: DataType, isInFloat32: Bool) throws {
    var noise = Noise()
    let tables = (try noise.tensor(1, 6, 1, 8), try noise.tensor(1, 6, 1, 8))
    let feeds = ["x": try noise.tensor(1, 6, 3, 8)] as [Name: Tensor]
    let result = try HalfHarness(type, feeds, isExact: isInFloat32) { graph, type in
      let x = graph.addInput("x", type: .tensor(type, [1, 6, 3, 8]))
      let inner = isInFloat32 ? .float32 : type
      let (cosines, sines) = (
        try graph.stored(tables.0, as: inner), try graph.stored(tables.1, as: inner)
      )
      func half(_ start: Int, _ end: Int) -> ValueID {
        graph.emit(
          "Slice",
          [x, graph.integers(start), graph.integers(end), graph.integers(-1), graph.integers(1)])
      }
      var turned = graph.emit(
        "Concat", [graph.emit("Neg", [half(4, 8)]), half(0, 4)], [Attribute("axis", .int(-1))])
      var straight = x
      if isInFloat32 {
        (turned, straight) = (
          graph.cast(turned, to: .float32), graph.cast(straight, to: .float32)
        )
      }
      var sum = graph.emit(
        "Add", [graph.emit("Mul", [straight, cosines]), graph.emit("Mul", [turned, sines])])
      if isInFloat32 { sum = graph.cast(sum, to: type) }
      graph.addOutput(graph.emit("Neg", [sum], name: "y"))
    }
    #expect(
      result.changes.filter { !$0.hasPrefix("no-op") } == [
        "fused-rotary: halves rotated in one pass"
      ])
  }

  @Test(arguments: types, [false, true])
  func attentionIsRoundedOnce(type: DataType, isSoftmaxInFloat32: Bool) throws {
    var noise = Noise()
    let feeds: [Name: Tensor] = [
      "q": try noise.tensor(1, 3, 37, 8), "k": try noise.tensor(1, 3, 45, 8),
      "v": try noise.tensor(1, 3, 45, 8), "m": try noise.tensor(1, 1, 37, 45),
    ]
    let result = try HalfHarness(type, feeds) { graph, type in
      let query = graph.addInput("q", type: .tensor(type, [1, 3, 37, 8]))
      let key = graph.addInput("k", type: .tensor(type, [1, 3, 45, 8]))
      let value = graph.addInput("v", type: .tensor(type, [1, 3, 45, 8]))
      let mask = graph.addInput("m", type: .tensor(type, [1, 1, 37, 45]))
      let scaled = graph.emit("Mul", [query, try graph.scalar(0.35, as: type)])
      var scores = graph.emit("MatMul", [scaled, graph.permuted(key, 0, 1, 3, 2)])
      scores = graph.emit("Add", [scores, mask])
      if isSoftmaxInFloat32 { scores = graph.cast(scores, to: .float32) }
      var weights = graph.emit("Softmax", [scores], [Attribute("axis", .int(-1))])
      if isSoftmaxInFloat32 { weights = graph.cast(weights, to: type) }
      graph.addOutput(graph.emit("MatMul", [weights, value], name: "y"))
    }
    #expect(
      result.changes.filter { !$0.hasPrefix("no-op") } == [
        "fused-attention: attention in tiles with a mask"
      ])
    #expect(result.declined.isEmpty)
  }

  @Test(arguments: types) func writtenOutGELUIsRoundedOnce(type: DataType) throws {
    var noise = Noise()
    let result = try HalfHarness(type, ["x": try noise.tensor(20, 40)]) { graph, type in
      let x = graph.addInput("x", type: .tensor(type, [20, 40]))
      let cube = graph.emit("Pow", [x, try graph.scalar(3, as: type)])
      let inner = graph.emit(
        "Add", [x, graph.emit("Mul", [cube, try graph.scalar(0.044_715, as: type)])])
      let bent = graph.emit(
        "Tanh", [graph.emit("Mul", [inner, try graph.scalar(0.797_884_6, as: type)])])
      let sum = graph.emit("Add", [bent, try graph.scalar(1, as: type)])
      let half = graph.emit("Mul", [x, try graph.scalar(0.5, as: type)])
      graph.addOutput(graph.emit("Mul", [half, sum], name: "y"))
    }
    #expect(result.changes == ["fused-gelu: GELU by tanh"])
  }
}
