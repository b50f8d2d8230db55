import GraphIR
import Operators
import Tensors
import Testing

/// A node that no model should hold: operands and attributes that are impossible.
struct HostileNode: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let op: OpKey
  let operands: [Operand]
  let attributes: [Attribute]
  let opset: Int
  let outputCount: Int

  /// An operand as a typing rule sees it: of a type, or with its elements.
  enum Operand: Sendable {
    case type(DataType, [Dimension])
    case integers([Int])
    case floats([Float])
  }

  init(
    _ description: String, _ op: OpKey, _ operands: [Operand],
    _ attributes: [String: AttributeValue] = [:], opset: Int = 20, outputCount: Int = 1
  ) {
    testDescription = description
    self.op = op
    self.operands = operands
    self.attributes = attributes.sorted { $0.key < $1.key }.map { Attribute($0.key, $0.value) }
    self.opset = opset
    self.outputCount = outputCount
  }

  /// Why the node is refused: when it is made, typed or run.
  func refusal() throws -> OperatorError? {
    let facts = try operands.map { operand -> ValueFact? in
      switch operand {
      case .type(let type, let shape): return ValueFact(type, shape)
      default: return try value(operand).map { ValueFact(constant: $0) }
      }
    }
    if let error = OperatorHarness.refusal(
      op, facts, attributes, opset: opset, outputCount: outputCount)
    {
      return error
    }
    let values = try operands.map { try value($0) }
    guard values.allSatisfy({ $0 != nil }) else { return nil }
    do {
      _ = try OperatorHarness.run(
        op, values, attributes, opset: opset, outputCount: outputCount, symbolic: false)
      return nil
    } catch let error as OperatorError {
      return error
    }
  }

  private func value(_ operand: Operand) throws -> Tensor? {
    switch operand {
    case .integers(let numbers): return Tensor(numbers.map { Int64($0) })
    case .floats(let numbers): return Tensor(numbers)
    case .type(let type, let shape):
      let sizes = shape.compactMap(\.value)
      guard sizes.count == shape.count, let shape = try? Shape(sizes), shape.elementCount <= 4096
      else { return nil }
      let tensor = try Tensor(uninitialized: type, shape)
      tensor.base.initializeMemory(as: UInt8.self, repeating: 0, count: tensor.byteCount)
      return tensor
    }
  }
}

private let matrix = HostileNode.Operand.type(.float32, [2, 3])
private let image = HostileNode.Operand.type(.float32, [1, 2, 5, 5])
private let filter = HostileNode.Operand.type(.float32, [2, 2, 3, 3])

private let axes = [
  HostileNode("axis 99", "Softmax", [matrix], ["axis": .int(99)]),
  HostileNode("axis -99", "Softmax", [matrix], ["axis": .int(-99)]),
  HostileNode("the least axis", "Concat", [matrix, matrix], ["axis": .int(.min)]),
  HostileNode("an axis twice", "Squeeze", [.type(.float32, [1, 2]), .integers([0, 0])]),
  HostileNode("an axis twice, once negative", "ReduceSum", [matrix, .integers([1, -1])]),
  HostileNode("a permutation of one axis", "Transpose", [matrix], ["perm": .ints([0])]),
  HostileNode("no permutation", "Transpose", [matrix], ["perm": .ints([0, 0])]),
  HostileNode("TopK axis 2", "TopK", [matrix, .integers([1])], ["axis": .int(2)], outputCount: 2),
  HostileNode(
    "DFT over the parts", "DFT", [.type(.float32, [2, 3, 1])], ["axis": .int(2)], opset: 17),
]

private let reshapes = [
  HostileNode("two unknown sizes", "Reshape", [matrix, .integers([-1, -1])]),
  HostileNode("a size of -5", "Reshape", [matrix, .integers([-5])]),
  HostileNode("a 0 past the rank", "Reshape", [matrix, .integers([2, 3, 0])]),
  HostileNode("2⁶² × 4", "Reshape", [matrix, .integers([1 << 62, 4])]),
  HostileNode(
    "an unknown size beside 0", "Reshape", [.type(.float32, [0, 3]), .integers([0, -1])],
    ["allowzero": .int(1)]),
]

private let sizes = [
  HostileNode("ConstantOfShape of 2⁶²", "ConstantOfShape", [.integers([1 << 62, 8])]),
  HostileNode("ConstantOfShape of -1", "ConstantOfShape", [.integers([-1])]),
  HostileNode("Expand to 2⁶²", "Expand", [matrix, .integers([1 << 62, 2, 3])]),
  HostileNode("Expand to -1", "Expand", [.type(.float32, [1]), .integers([-1])]),
  HostileNode("Tile 2⁶² times", "Tile", [matrix, .integers([1 << 62, 8])]),
  HostileNode("Tile -1 times", "Tile", [matrix, .integers([-1, 1])]),
  HostileNode("Pad by 2⁶²", "Pad", [matrix, .integers([1 << 62, 1 << 62, 0, 0])]),
  HostileNode("Pad by -5", "Pad", [matrix, .integers([-5, 0, 0, 0])]),
  HostileNode(
    "OneHot of depth 2⁶²", "OneHot", [.integers([0]), .integers([1 << 62]), .floats([0, 1])]),
  HostileNode("CenterCropPad to -1", "CenterCropPad", [matrix, .integers([-1, 3])]),
]

private let ranges = [
  HostileNode("a step of 0", "Range", [.integers([0]), .integers([5]), .integers([0])]),
  HostileNode("a float step of 0", "Range", [.floats([0]), .floats([5]), .floats([0])]),
  HostileNode("a step of NaN", "Range", [.floats([0]), .floats([5]), .floats([.nan])]),
  HostileNode("1e30 by 1e-30", "Range", [.floats([0]), .floats([1e30]), .floats([1e-30])]),
]

private let windows = [
  HostileNode("Conv stride 0", "Conv", [image, filter], ["strides": .ints([0, 1])]),
  HostileNode("Conv dilation 0", "Conv", [image, filter], ["dilations": .ints([0, 1])]),
  HostileNode("Conv group 0", "Conv", [image, filter], ["group": .int(0)]),
  HostileNode("Conv kernel 0", "Conv", [image, .type(.float32, [2, 2, 0, 3])]),
  HostileNode("Conv of negative pads", "Conv", [image, filter], ["pads": .ints([-1, 0, 0, 0])]),
  HostileNode("Conv of too many pads", "Conv", [image, filter], ["pads": .ints([1, 1, 1])]),
  HostileNode("Conv wider than its input", "Conv", [image, .type(.float32, [2, 2, 9, 9])]),
  HostileNode(
    "ConvTranspose stride 0", "ConvTranspose", [image, filter], ["strides": .ints([0, 1])]),
  HostileNode("ConvTranspose group 0", "ConvTranspose", [image, filter], ["group": .int(0)]),
  HostileNode(
    "ConvTranspose pads wider than all", "ConvTranspose", [image, filter],
    ["pads": .ints([9, 9, 9, 9])]),
  HostileNode(
    "MaxPool stride 0", "MaxPool", [image],
    ["kernel_shape": .ints([2, 2]), "strides": .ints([0, 1])]),
  HostileNode("MaxPool kernel 0", "MaxPool", [image], ["kernel_shape": .ints([0, 2])]),
  HostileNode(
    "MaxPool dilation 0", "MaxPool", [image],
    ["kernel_shape": .ints([2, 2]), "dilations": .ints([1, 0])]),
  HostileNode("MaxPool of no kernel", "MaxPool", [image]),
  HostileNode(
    "pads as wide as the window", "AveragePool", [image],
    ["kernel_shape": .ints([2, 2]), "pads": .ints([2, 2, 2, 2])]),
  HostileNode(
    "a window wider than the input", "AveragePool", [image], ["kernel_shape": .ints([9, 9])]),
  HostileNode("a huge kernel", "LpPool", [image], ["kernel_shape": .ints([1 << 40, 1 << 40])]),
]

private let samplings = [
  HostileNode("no scales", "Resize", [image]),
  HostileNode("three scales for four axes", "Resize", [image, .floats([]), .floats([1, 1, 2])]),
  HostileNode("a scale of 0", "Resize", [image, .floats([]), .floats([1, 1, 0, 2])]),
  HostileNode("a scale of NaN", "Resize", [image, .floats([]), .floats([1, 1, .nan, 2])]),
  HostileNode("a negative scale", "Resize", [image, .floats([]), .floats([1, 1, -1, 2])]),
  HostileNode("an infinite scale", "Resize", [image, .floats([]), .floats([1, 1, .infinity, 2])]),
  HostileNode(
    "a size of -1", "Resize", [image, .floats([]), .floats([]), .integers([1, 2, -1, 4])]),
  HostileNode(
    "an unknown mode", "Resize", [image, .floats([]), .floats([1, 1, 2, 2])],
    ["mode": .text("best")]),
]

private let equations = [
  HostileNode("no equation", "Einsum", [matrix]),
  HostileNode("an empty equation", "Einsum", [matrix], ["equation": .text("")]),
  HostileNode("five dots", "Einsum", [matrix], ["equation": .text(".....->")]),
  HostileNode("an output letter twice", "Einsum", [matrix], ["equation": .text("ij->ii")]),
  HostileNode("an output letter from nowhere", "Einsum", [matrix], ["equation": .text("ij->k")]),
  HostileNode(
    "100 letters", "Einsum", [matrix],
    ["equation": .text(String(repeating: "ab", count: 50) + "->")]),
  HostileNode(
    "a million letters", "Einsum", [matrix],
    ["equation": .text(String(repeating: "a", count: 1_000_000))]),
]

private let slices = [
  HostileNode(
    "a step of 0", "Slice",
    [matrix, .integers([0]), .integers([2]), .integers([0]), .integers([0])]),
  HostileNode("lists of different lengths", "Slice", [matrix, .integers([0, 0]), .integers([2])]),
  HostileNode("an index out of range", "Gather", [matrix, .integers([7])]),
  HostileNode("the least index", "Gather", [matrix, .integers([.min])]),
  HostileNode("an index tuple out of range", "GatherND", [matrix, .integers([1, 9])]),
  HostileNode(
    "an update out of range", "ScatterElements", [.floats([1, 2]), .integers([5]), .floats([1])]),
  HostileNode(
    "a write behind a cache", "TensorScatter",
    [.type(.float32, [1, 2, 1]), .type(.float32, [1, 1, 1]), .integers([7])], opset: 24),
]

private let counts = [
  HostileNode("a negative part", "Split", [matrix, .integers([-1, 3])], outputCount: 2),
  HostileNode("parts that do not sum up", "Split", [matrix, .integers([1, 2])], outputCount: 2),
  HostileNode("TopK of -1", "TopK", [matrix, .integers([-1])], outputCount: 2),
  HostileNode("TopK of more than there are", "TopK", [matrix, .integers([4])], outputCount: 2),
  HostileNode("a depth of -1", "OneHot", [.integers([0]), .integers([-1]), .floats([0, 1])]),
  HostileNode("a depth of 0", "OneHot", [.integers([0]), .integers([0]), .floats([0, 1])]),
  HostileNode("a block of 0", "DepthToSpace", [image], ["blocksize": .int(0)]),
  HostileNode("a block of 2⁶²", "SpaceToDepth", [image], ["blocksize": .int(1 << 62)]),
  HostileNode(
    "0 groups", "GroupNormalization", [image, .floats([1, 1]), .floats([1, 1])],
    ["num_groups": .int(0)], opset: 21),
  HostileNode(
    "0 heads", "Attention",
    [.type(.float32, [1, 2, 4]), .type(.float32, [1, 2, 4]), .type(.float32, [1, 2, 4])],
    ["q_num_heads": .int(0), "kv_num_heads": .int(1)], opset: 23),
  HostileNode(
    "more turned elements than a head has", "RotaryEmbedding",
    [.type(.float32, [1, 1, 2, 4]), .type(.float32, [1, 2, 4]), .type(.float32, [1, 2, 4])],
    ["rotary_embedding_dim": .int(8)], opset: 23),
  HostileNode("scales of a wrong length", "QuantizeLinear", [matrix, .floats([1, 1])]),
  HostileNode(
    "a block size of -1", "DequantizeLinear", [.type(.int8, [2, 3]), .floats([1])],
    ["block_size": .int(-1)], opset: 21),
]

private let broadcasts = [
  HostileNode("2 × 3 with 4", "Add", [matrix, .floats([1, 2, 3, 4])]),
  HostileNode("inner lengths 3 and 2", "MatMul", [matrix, matrix]),
  HostileNode("a scalar in a product", "MatMul", [matrix, .type(.float32, [])]),
  HostileNode("two types", "Add", [matrix, .type(.float64, [2, 3])]),
]

private let bodies = [
  HostileNode("If without branches", "If", [.type(.bool, [])]),
  HostileNode("Loop without a body", "Loop", [.integers([1]), .type(.bool, [])]),
  HostileNode("Scan without a body", "Scan", [matrix], ["num_scan_inputs": .int(1)]),
  HostileNode("SequenceMap without a body", "SequenceMap", [matrix]),
  HostileNode(
    "Loop with a body of no inputs", "Loop", [.integers([1]), .type(.bool, [])],
    ["body": .graph(Subgraph(graph: Graph(), captures: []))]),
  HostileNode(
    "Scan with a body of no outputs", "Scan", [matrix],
    ["num_scan_inputs": .int(1), "body": .graph(Subgraph(graph: Graph(), captures: []))]),
  HostileNode(
    "Scan of more operands than there are", "Scan", [matrix],
    ["num_scan_inputs": .int(2), "body": .graph(Subgraph(graph: Graph(), captures: []))]),
]

private let meanings = [
  HostileNode("Scan before it lost its batch axis", "Scan", [matrix], opset: 8),
  HostileNode("Upsample with scales as an attribute", "Upsample", [image], opset: 8),
  HostileNode(
    "LayerNormalization before it was an operator", "LayerNormalization",
    [matrix, .floats([1, 1, 1])], opset: 16),
  HostileNode(
    "a flattening axis beyond the rank", "Softmax", [matrix], ["axis": .int(3)], opset: 12),
  HostileNode(
    "axes as an attribute where they are an operand", "Squeeze", [.type(.float32, [1, 2])],
    ["axes": .ints([0])], opset: 13),
  HostileNode(
    "wrap before it was a mode", "Pad", [matrix, .integers([0, 0, 0, 1])], ["mode": .text("wrap")],
    opset: 18),
  HostileNode("floats where only integers have a meaning", "Mod", [.floats([1]), .floats([1])]),
]

private let attributes = [
  HostileNode("an attribute nobody knows", "Softmax", [matrix], ["speed": .int(1)]),
  HostileNode("a float where an integer is due", "Softmax", [matrix], ["axis": .float(1)]),
  HostileNode("a list where a number is due", "Gemm", [matrix, matrix], ["alpha": .ints([1])]),
  HostileNode("a kind nobody knows", "Concat", [matrix], ["axis": .opaque("99")]),
]

private let constants = [
  HostileNode("no value", "Constant", []),
  HostileNode("two values", "Constant", [], ["value_int": .int(1), "value_float": .float(1)]),
]

/// Items B11, B16, B17, D11 and F1 to F17 of the hostile inputs: every node is refused by a typed error.
@Suite struct HostileOperatorTests {
  @Test(arguments: bodies) func b11MissingAndUnfitBodies(node: HostileNode) throws {
    try check(node)
  }
  @Test(arguments: meanings) func b16OtherMeaningsOfOtherSets(node: HostileNode) throws {
    try check(node)
  }
  @Test(arguments: attributes) func b17WrongAttributes(node: HostileNode) throws {
    try check(node)
  }
  @Test(arguments: constants) func d11ConstantsOfNoOrTwoValues(node: HostileNode) throws {
    try check(node)
  }
  @Test(arguments: axes) func f1ImpossibleAxes(node: HostileNode) throws { try check(node) }
  @Test(arguments: reshapes) func f2ImpossibleReshapes(node: HostileNode) throws { try check(node) }
  @Test(arguments: sizes) func f3ImpossibleSizes(node: HostileNode) throws { try check(node) }
  @Test(arguments: ranges) func f4ImpossibleRanges(node: HostileNode) throws { try check(node) }
  @Test(arguments: windows) func f5ImpossibleWindows(node: HostileNode) throws { try check(node) }
  @Test(arguments: samplings) func f6ImpossibleScales(node: HostileNode) throws { try check(node) }
  @Test(arguments: equations) func f7ImpossibleEquations(node: HostileNode) throws {
    try check(node)
  }
  @Test(arguments: slices) func f8ImpossibleIndices(node: HostileNode) throws { try check(node) }
  @Test(arguments: counts) func f9ImpossibleCounts(node: HostileNode) throws { try check(node) }
  @Test(arguments: broadcasts) func f11ShapesThatDoNotFit(node: HostileNode) throws {
    try check(node)
  }

  @Test func f10ProductsOverNothingAreZerosAndOfNothingEmpty() throws {
    let zeros = try OperatorHarness.run(
      "MatMul", [try Tensor.of([] as [Float], 2, 0), try Tensor.of([] as [Float], 0, 3)])
    #expect(zeros[0].floats == [0, 0, 0, 0, 0, 0])
    let empty = try OperatorHarness.run(
      "MatMul", [try Tensor.of([] as [Float], 0, 2), try Tensor.pattern(2, 3)])
    #expect(empty[0].shape.dimensions == [0, 3])
  }

  @Test func f12NormsOfConstantRowsAndHiddenRowsDoNotTrap() throws {
    let hidden = try Tensor.of([Float](repeating: -.infinity, count: 3), 1, 3)
    #expect(try OperatorHarness.run("Softmax", [hidden])[0].floats.allSatisfy(\.isNaN))
    let row = try Tensor.of([2, 2, 2] as [Float], 1, 3)
    let one = try Tensor.of([1, 1, 1] as [Float], 3)
    for epsilon in [Float(0), -1, .nan] {
      _ = try OperatorHarness.run(
        "LayerNormalization", [row, one], [Attribute("epsilon", .float(epsilon))])
    }
  }

  @Test func f13CastsOfWhatDoesNotFitSaturateAndNaNBecomesZero() throws {
    let numbers = try Tensor.of([.nan, .infinity, -.infinity, 1e30] as [Float], 4)
    let integers = try OperatorHarness.run("Cast", [numbers], [Attribute("to", .int(6))])[0]
    #expect(integers.elements(as: Int32.self) == [0, .max, .min, .max])
    let wide = try Tensor.of([Int64.max, 1 << 32] as [Int64], 2)
    let narrow = try OperatorHarness.run("Cast", [wide], [Attribute("to", .int(6))])[0]
    #expect(narrow.elements(as: Int32.self) == [-1, 0])
  }

  @Test func f14IntegerDivisionByZeroIsAnErrorAndTheLeastByMinusOneIsNot() throws {
    for op: OpKey in ["Div", "Mod"] {
      let refused = HostileNode("by zero", op, [.integers([1]), .integers([0])])
      #expect(try refused.refusal()?.code == "division-by-zero")
      let least = try OperatorHarness.run(
        op, [Tensor([Int64.min]), Tensor([Int64(-1)])], symbolic: false)[0]
      #expect(least.elements(as: Int64.self) == [op == "Div" ? .min : 0])
    }
    let shifted = try OperatorHarness.run(
      "BitShift", [Tensor([UInt8(255)]), Tensor([UInt8(200)])],
      [Attribute("direction", .text("LEFT"))])[0]
    #expect(shifted.elements(as: UInt8.self) == [0])
  }

  @Test func f17HalvesAreAccumulatedInFloat32() throws {
    let to = { (tensor: Tensor, type: DataType) in
      try OperatorHarness.run("Cast", [tensor], [Attribute("to", .int(Int(type.rawValue)))])[0]
    }
    let ones = try to(try Tensor.of([Float](repeating: 1, count: 4096), 1, 4096), .float16)
    let column = try ones.contiguous().view(shape: Shape([4096, 1]), strides: [1, 1])
    let product = try OperatorHarness.run("MatMul", [ones, column])[0]
    #expect(try to(product, .float32).floats == [4096])
    let sum = try OperatorHarness.run("ReduceSum", [ones])[0]
    #expect(try to(sum, .float32).floats == [4096])
  }

  private func check(_ node: HostileNode) throws {
    let error = try #require(try node.refusal(), "\(node) runs")
    #expect(error.category != .internalFault, "\(error.message)")
    #expect(!error.message.isEmpty && error.message.utf8.count < 2000)
  }
}
