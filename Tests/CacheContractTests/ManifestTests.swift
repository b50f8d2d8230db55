import CacheContract
import GraphIR
import Tensors
import Testing

/// A manifest with one rule, two sites and three pieces of state.
enum Manifests {
  static let small = Manifest(
    tool: "ditcache 0.1.0", schedule: "every-2", steps: 4, originalDigest: "00ff",
    rules: [.init(name: "r", table: [true, false, true, false])],
    sites: [
      .init(name: "blocks.0-1", rule: "r", blocks: 2, flops: 1_000),
      .init(name: "blocks.2", rule: "r", blocks: 1, flops: nil),
    ],
    state: [
      state("ditcache/r/valid", type: "bool", shape: ["1"], isValidity: true),
      state("ditcache/r/blocks.0-1/delta", type: "float32", shape: ["1", "s1", "8"]),
      state("ditcache/r/blocks.2/delta", type: "float32", shape: ["2", "3"]),
    ],
    controls: [ContractNames.step, ContractNames.branch, ContractNames.override])

  static func state(
    _ name: String, type: String, shape: [String], isValidity: Bool = false
  ) -> Manifest.State {
    .init(
      input: name, output: ContractNames.output(of: name), dataType: type, shape: shape,
      isValidity: isValidity)
  }
}

@Suite("Manifest") struct ManifestTests {
  private func code(_ body: () throws(ContractError) -> Void) -> String? {
    do throws(ContractError) {
      try body()
      return nil
    } catch {
      return error.code
    }
  }

  @Test("JSON reads back as the same manifest, and equal manifests are equal text")
  func roundTrip() throws {
    let text = try Manifests.small.json()
    let again = try Manifest(json: text)
    #expect(again == Manifests.small)
    #expect(try again.json() == text)
    #expect(text.hasPrefix(#"{"controls":["ditcache/step","#))
    #expect(text.contains(#""originalDigest":"00ff""#))
  }

  @Test(
    "text that is not a manifest is refused",
    arguments: ["", "{", "[]", "null", #"{"schema":1}"#, #"{"schema":"1"}"#, "{}"])
  func brokenJSON(text: String) {
    #expect(code { () throws(ContractError) in _ = try Manifest(json: text) } == "broken-manifest")
  }

  @Test("a field of another kind is refused")
  func wrongKind() throws {
    let text = try Manifests.small.json().replacing(#""steps":4"#, with: #""steps":"4""#)
    #expect(code { () throws(ContractError) in _ = try Manifest(json: text) } == "broken-manifest")
  }

  @Test("another layout is refused as such, even where it has other fields")
  func otherSchema() throws {
    let text = try Manifests.small.json().replacing(#""schema":1"#, with: #""schema":2"#)
    for json in [text, #"{"schema":2,"everything":"else"}"#] {
      let error = try #require(throws: ContractError.self) { try Manifest(json: json) }
      #expect(error.code == "manifest-schema")
      #expect(error.category == .unsupported)
      #expect(error.message.contains("layout 2"))
    }
  }

  @Test("state pairs come back on a graph that was read from a file")
  func restore() throws {
    var graph = Graph()
    for pair in Manifests.small.state {
      let input = graph.addInput(Name(pair.input), type: .unknown)
      graph.addOutput(graph.emit("Identity", [input], name: Name(pair.output)))
    }
    try Manifests.small.restoreStatePairs(in: &graph)
    #expect(
      graph.statePairs.map { graph.name(of: $0.input).text }
        == Manifests.small.state.map(\.input))
    #expect(
      graph.statePairs.map { graph.name(of: $0.output).text }
        == Manifests.small.state.map(\.output))
    try graph.verify()
  }

  @Test("state that the graph lacks, or has elsewhere, is refused by name")
  func restoreMissing() throws {
    let pair = Manifests.state("ditcache/r/valid", type: "bool", shape: ["1"])
    var manifest = Manifests.small
    manifest.state = [pair]
    var empty = Graph()
    var inner = Graph()
    let value = inner.addInput(Name(pair.input), type: .unknown)
    inner.emit("Identity", [value], name: Name(pair.output))
    for graph in [empty, inner] {
      var graph = graph
      let error = try #require(throws: ContractError.self) {
        try manifest.restoreStatePairs(in: &graph)
      }
      #expect(error.code == "broken-manifest")
      #expect(error.message.contains("'ditcache/r/valid'"))
    }
    manifest.state = []
    try manifest.restoreStatePairs(in: &empty)
    #expect(empty.statePairs.isEmpty)
  }
}
