import CacheContract
import GraphIR
import Tensors
import Testing

@Suite("StateBundle") struct StateBundleTests {
  private static let valid = Name("ditcache/r/valid")
  private static let delta = Name("ditcache/r/blocks.2/delta")

  private func own(_ rows: Int) throws -> [Name: Tensor] {
    ["x": Tensor([Float](repeating: 1, count: rows * 2), shape: try Shape([rows, 2]))]
  }

  private func output(_ input: Name) -> Name { Name(ContractNames.output(of: input.text)) }

  private var results: [Name: Tensor] {
    [
      "y": Tensor([Float(7)]), output(Self.valid): Tensor([true]),
      output(Self.delta): Tensor([Float(1), 2, 3, 4, 5, 6]),
    ]
  }

  @Test("the first call feeds the model's own inputs, the controls and empty state")
  func firstCall() throws {
    var bundle = StateBundle(Manifests.small, branch: 1)
    let feeds = try bundle.feeds(adding: try own(3), step: 2, override: .reuse)
    #expect(feeds.count == 7)
    #expect(feeds["x"]?.shape.dimensions == [3, 2])
    #expect(feeds[Name(ContractNames.step)]?.elements(as: Int64.self) == [2])
    #expect(feeds[Name(ContractNames.branch)]?.elements(as: Int64.self) == [1])
    #expect(feeds[Name(ContractNames.override)]?.elements(as: Int64.self) == [2, 2])
    #expect(feeds[Name(ContractNames.steps)] == nil, "the graph does not read it")
    #expect(feeds[Self.valid]?.elements(as: Bool.self) == [false])
    #expect(feeds[Self.delta]?.elements(as: Float.self) == [0, 0, 0, 0, 0, 0])
  }

  @Test("state among the outputs is kept for the next call and hidden from the caller")
  func absorb() throws {
    var bundle = StateBundle(Manifests.small)
    _ = try bundle.feeds(adding: try own(3), step: 0)
    let left = bundle.absorb(results)
    #expect(Array(left.keys) == ["y"])
    #expect(bundle.byteCount == 25)
    let feeds = try bundle.feeds(adding: try own(3), step: 1)
    #expect(feeds[Self.valid]?.elements(as: Bool.self) == [true])
    #expect(feeds[Self.delta]?.elements(as: Float.self) == [1, 2, 3, 4, 5, 6])
    #expect(bundle.byteCount == 0, "the state went to the model")
  }

  @Test("state is forgotten when the model's own inputs change shape, not when they change value")
  func shapeChange() throws {
    var bundle = StateBundle(Manifests.small)
    _ = try bundle.feeds(adding: try own(3), step: 0)
    _ = bundle.absorb(results)
    #expect(
      try bundle.feeds(adding: try own(4), step: 1)[Self.valid]?.elements(as: Bool.self) == [false])
    _ = bundle.absorb(results)
    let zeros = ["x" as Name: Tensor([Float](repeating: 0, count: 8), shape: try Shape([4, 2]))]
    #expect(try bundle.feeds(adding: zeros, step: 2)[Self.valid]?.elements(as: Bool.self) == [true])
  }

  @Test("bundles share nothing")
  func independent() throws {
    var first = StateBundle(Manifests.small)
    _ = try first.feeds(adding: try own(3), step: 0)
    var second = first
    _ = first.absorb(results)
    #expect(
      try second.feeds(adding: try own(3), step: 1)[Self.valid]?.elements(as: Bool.self) == [false])
  }

  @Test("empty state has length zero along dimensions that vary")
  func emptyTensors() throws {
    let tensors = try Manifests.small.state.map { try $0.emptyTensor() }
    #expect(tensors.map(\.dataType) == [.bool, .float32, .float32])
    #expect(tensors.map(\.shape.dimensions) == [[1], [1, 0, 8], [2, 3]])
    #expect(try Manifests.state("n", type: "int64", shape: []).emptyTensor().integers() == [0])
  }

  @Test(
    "state of an unknown type or an impossible size is refused",
    arguments: [
      Manifests.state("n", type: "float23", shape: ["1"]),
      Manifests.state("n", type: "float32", shape: ["-1"]),
      Manifests.state("n", type: "float32", shape: ["9223372036854775807", "2"]),
    ])
  func impossible(state: Manifest.State) throws {
    let error = try #require(throws: ContractError.self) { try state.emptyTensor() }
    #expect(error.code == "broken-manifest")
    #expect(error.message.contains("'n'"))
  }

  @Test func aManifestCannotAskForMoreMemoryThanThereIs() {
    let state = Manifest.State(
      input: "s", output: "s/out", dataType: "float32", shape: ["1099511627776"],
      isValidity: false)
    #expect(throws: ContractError.self) { try state.emptyTensor() }
  }
}
