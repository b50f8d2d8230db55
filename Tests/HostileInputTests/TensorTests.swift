import GraphIR
import OnnxFile
import Tensors
import TestSupport
import Testing

private let tensors: [HostileCase] = [
  hostileTensor("D2 10,000 dimensions", "model-limit", dims: Array(repeating: 1, count: 10_000)),
  hostileTensor("D3 nine bytes of eight", "malformed-tensor", raw: 9),
  hostileTensor("D5 FLOAT8E4M3FNUZ", "unsupported-model", type: 18, raw: 2),
  hostileTensor("D5 FLOAT4", "unsupported-model", type: 23, raw: 1),
  hostileTensor("D7 a zero that hides an overflow", "malformed-tensor", dims: [0, 1 << 62, 4]),
  hostileTensor("D1 2^32 by 2^32 elements", "malformed-tensor", dims: [1 << 32, 1 << 32]),
  hostileTensor("D1 2^33 by 2^31 elements", "malformed-tensor", dims: [1 << 33, 1 << 31]),
  hostileTensor("D1 2^62 elements of four bytes", "malformed-tensor", dims: [1 << 62]),
  hostileTensor("D2 a negative dimension", "malformed-tensor", dims: [-2]),
  hostileTensor("D2 17 dimensions", "model-limit", dims: Array(repeating: 1, count: 17)),
  hostileTensor("D3 seven bytes of eight", "malformed-tensor", raw: 7),
  hostileTensor("D3 twelve bytes of eight", "malformed-tensor", raw: 12),
  hostileTensor("D4 no bytes at all", "malformed-tensor", raw: nil),
  hostileTensor("D5 element type 0", "malformed-tensor", type: 0),
  hostileTensor("D5 element type 999", "malformed-tensor", type: 999),
  hostileTensor("D5 FLOAT8", "unsupported-model", type: 17, raw: 2),
  hostileTensor("D10 a segment", "unsupported-model") { $0.message(3) { $0.int(1, 0) } },
  hostileTensor("D4 its elements twice", "malformed-tensor") {
    $0.data(4, Array(repeating: 0, count: 8))
  },
  hostileTensor("D4 the field of another type", "malformed-tensor", raw: nil) {
    $0.data(7, [1, 2])
  },
]

private func hostileTensor(
  _ name: String, _ code: String, dims: [Int64] = [2], type: Int64 = 1, raw: Int? = 8,
  _ build: (inout Wire) -> Void = { _ in }
) -> HostileCase {
  let tensor = WireModel.tensor(dims: dims, type: type, raw: raw, build)
  return HostileCase(name, code) { $0.initializers = [tensor] }
}

/// Part D of the list: tensors and initializers.
@Suite struct TensorTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: tensors)
  func badTensorsAreRefused(_ bad: HostileCase) throws {
    try folder.expectRefusal(of: bad.bytes, bad.code)
  }

  /// The only tensor of a model.
  private func load(_ tensor: [UInt8]) throws -> Tensor {
    let model = try folder.read(WireModel.with { $0.initializers = [tensor] })
    return try #require(model.graph.initializers[model.graph.initializerOrder[0]]).load()
  }

  @Test func d2_aScalarHasNoDimensions() throws {
    #expect(try load(WireModel.tensor(dims: [], raw: 4)).elementCount == 1)
  }

  @Test func d3_bothByteCountsAreInTheMessage() throws {
    let error = try folder.expectRefusal(
      of: WireModel.with { $0.initializers = [WireModel.tensor(raw: 7)] }, "malformed-tensor")
    #expect(error?.message.contains("7 bytes") == true && error?.message.contains("8") == true)
  }

  @Test(arguments: [8, 14, 15, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26] as [Int64])
  func d5_aTypeThatIsNotComputedWithIsRefusedByName(_ type: Int64) throws {
    let tensor = WireModel.tensor(dims: [0], type: type, raw: 0)
    let bytes = WireModel.with {
      $0.initializers = [tensor]
      $0.nodes = [WireModel.node("Add", ["x", "w"], ["y"])]
    }
    let path = try folder.write(bytes, to: "type.onnx")
    let command = try Command(
      ["run", path, "--input", try folder.write(FeedFile.x, to: "x.npz")], in: folder)
    #expect([2, 4].contains(command.status), "\(command)")
  }

  @Test func d6_bytesOfBooleansOtherThanZeroAndOneAreTrue() throws {
    let bytes = WireModel.with {
      $0.initializers = [
        WireModel.tensor("w", dims: [2], type: 9, raw: nil) { $0.data(9, [0, 0x82]) }
      ]
      $0.nodes = [WireModel.node("Where", ["w", "x", "x"], ["y"])]
    }
    try RunningModel(bytes, in: folder).expect([3, 4], gives: [3, 4])
  }

  @Test func d6_aFloat16ThatDoesNotFitIsRefused() throws {
    let tensor = WireModel.tensor(dims: [1], type: 10, raw: nil) { $0.int(5, 0x1_0000) }
    #expect(throws: OnnxFileError.self) { try load(tensor) }
  }

  @Test func d7_aTensorWithoutElementsKeepsItsShape() throws {
    let tensor = try load(WireModel.tensor(dims: [3, 0, 1 << 40], raw: 0))
    #expect(tensor.shape.dimensions == [3, 0, 1 << 40])
  }

  @Test func d8_oddNumbersArePreservedBitForBit() throws {
    let patterns: [UInt32] = [0x7FC0_0001, 0xFF80_0000, 0x7F80_0000, 1, 0x8000_0000, 0x7F80_0001]
    let raw = patterns.flatMap { bits in (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
    }
    let bytes = WireModel.with {
      $0.initializers = [WireModel.tensor(dims: [6], raw: nil) { $0.data(9, raw) }]
    }
    let model = try folder.read(bytes)
    let stored = try #require(model.graph.initializers.values.first)
    #expect(try stored.load().bytes == raw)
    try model.write(model.graph, to: folder.path("out.onnx"))
    let again = try OnnxModel.read(folder.path("out.onnx"))
    let restored = try #require(again.graph.initializers.values.first)
    #expect(try restored.load().bytes == raw)
  }

  @Test func d9_anInitializerMayBeTheDefaultOfAnInput() throws {
    let model = try folder.read(
      WireModel.with { $0.initializers = [WireModel.tensor("x")] })
    #expect(model.graph.initializers.count == 1 && model.graph.inputs.count == 1)
  }

  @Test func d9_aHundredThousandInitializersOfOneNameAreRefused() throws {
    try folder.expectRefusal(
      of: WireModel.with {
        $0.initializers = [[UInt8]](repeating: WireModel.tensor(), count: 100_000)
      }, "malformed-model")
  }

  /// Sparse tensors of two of four values; `indices` in the forms that the format forbids.
  @Test(arguments: [[1, 0], [1, 1], [0, 9], [-1, 0]])
  func d10_sparseTensorsWithWrongIndicesAreRefused(_ indices: [Int64]) throws {
    let bytes = WireModel.with { model in
      model.extraInGraph.message(15) { sparse in
        sparse.data(1, WireModel.tensor("w", dims: [2]))
        sparse.data(
          2,
          WireModel.tensor("i", dims: [2], type: 7, raw: nil) { tensor in
            for index in indices { tensor.int(7, index) }
          })
        sparse.int(3, 4)
      }
    }
    let path = try folder.write(bytes, to: "sparse.onnx")
    let error = #expect(throws: OnnxFileError.self) { try OnnxModel.read(path) }
    #expect(error?.category == .badModel || error?.category == .unsupported)
  }

  @Test(arguments: [0, 2])
  func d11_aConstantHasOneValue(_ count: Int) throws {
    let bytes = WireModel.with {
      $0.nodes = [
        WireModel.node("Constant", [], ["c"]) { node in
          for (name, kind) in [("value_int", Int64(2)), ("value_float", 1)].prefix(count) {
            node.message(5) {
              $0.text(1, name)
              $0.int(3, 1)
              $0.int(20, kind)
            }
          }
        },
        WireModel.node("Add", ["x", "c"], ["y"]),
      ]
    }
    let path = try folder.write(bytes, to: "constant.onnx")
    let command = try folder.expectFailure(
      4, "run", path, "--input", try folder.write(FeedFile.x, to: "x.npz"))
    #expect(command.errors.contains("Constant"), "\(command)")
  }

  @Test func d12_largeWeightsInsideTheModelAreCopiedOnce() throws {
    let count = (TestTier.current >= .full ? 1_900 : 300) << 20
    let path = folder.path("large.onnx")
    try LargeFile.writeModel(ofWeights: count, to: path)
    let command = try Command(["inspect", path], in: folder, measuresMemory: true)
    #expect(command.status == 0, "\(command)")
    #expect(command.peakByteCount > 0 && command.peakByteCount < 2 * count + 256 << 20)
  }
}
