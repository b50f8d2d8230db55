import GraphIR
import ModelStructure
import Testing

/// What stands beside the spine: long skips, refiners, control chains, values that cross.
@Suite struct SpineTests {
  /// Blocks whose early results are put beside late ones: 0 with 3, 1 with 2.
  private func skipping(adding: Bool) -> (toy: Toy, output: ValueID) {
    var toy = Toy()
    var x = toy.linear(toy.input("latents"))
    var early: [ValueID] = []
    for _ in 0..<2 {
      x = toy.block(x)
      early.append(x)
    }
    x = toy.block(x)
    for _ in 0..<2 {
      let skip = early.removeLast()
      x = adding ? toy.add(x, skip) : toy.linear(toy.concat([x, skip], axis: 2), from: 16)
      x = toy.block(x)
    }
    let output = toy.linear(x)
    return (toy, output)
  }

  @Test(arguments: [true, false], [true, false])
  func longSkipsEndRuns(adding: Bool, typed: Bool) throws {
    var (toy, output) = skipping(adding: adding)
    let structure = try toy.structure(output: output, typed: typed)
    #expect(structure.summary == "blocks blocks[0-4] x1: self mlp")
    let uses = UseIndex(toy.graph)
    // Everything: all skips stay inside.
    #expect(structure.runs(of: Array(0...4), in: toy.graph) == [0...4])
    // What a skip takes out of the range ends it there.
    let borders = structure.borders(of: [0, 1, 2], in: toy.graph)
    #expect(borders.map(\.range) == [0...0, 1...1, 2...2])
    #expect(borders[0].reason?.message.contains("is also read by") == true)
    #expect(structure.runs(of: [1, 2, 3], in: toy.graph) == [1...3])
    #expect(structure.runs(of: [2, 3, 4], in: toy.graph) == [2...4])
    for positions in [[0, 1, 2, 3, 4], [0, 1, 2], [1, 2, 3], [2, 3, 4], [4]] {
      for range in structure.runs(of: positions, in: toy.graph) {
        try expectCuttable(try structure.cut(range, in: toy.graph, uses: uses), in: toy.graph)
      }
    }
    #expect(throws: StructureError.self) { try structure.cut(0...1, in: toy.graph, uses: uses) }
    #expect(structure.notes.map(\.place) == ["blocks.0", "blocks.1"])
    #expect(structure.notes[0].message.contains("of blocks.4"))
  }

  @Test(arguments: [true, false]) func aResidualAroundTheWholeStackHidesNoBlock(typed: Bool) throws
  {
    var toy = Toy()
    let start = toy.linear(toy.input("latents"))
    var x = start
    for _ in 0..<3 { x = toy.block(x) }
    let structure = try toy.structure(
      output: toy.linear(toy.add(start, toy.linear(toy.norm(x)))), typed: typed)
    #expect(structure.summary == "blocks blocks[0-2] x1: self mlp")
  }

  @Test(arguments: [true, false]) func refinersOfTextAndOfNoise(typed: Bool) throws {
    var toy = Toy()
    var text = toy.linear(toy.input("text", tokens: 4))
    for _ in 0..<2 { text = toy.block(text) }
    var x = toy.linear(toy.input("latents"))
    for _ in 0..<2 { x = toy.block(x) }
    x = toy.concat([text, x])
    for _ in 0..<3 { x = toy.block(x) }
    let structure = try toy.structure(
      output: toy.linear(toy.slice(x, 4..<10)), latents: toy.graph.inputs[1], typed: typed)
    #expect(
      structure.summary == """
        blocks blocks[0-2] x1: self mlp
        refiners refiner_blocks[0-1] x1: self mlp
        refiners refiner_blocks_2[0-1] x1: self mlp
        """)
  }

  @Test(arguments: [true, false]) func refinersOfTheTextOfDualStreams(typed: Bool) throws {
    var toy = Toy()
    var x = toy.linear(toy.input("latents"))
    var e = toy.linear(toy.input("text", tokens: 4))
    for _ in 0..<2 { e = toy.block(e) }
    for _ in 0..<3 { (x, e) = toy.dualBlock(x, e) }
    let structure = try toy.structure(output: toy.linear(toy.concat([x, e])), typed: typed)
    #expect(
      structure.summary == """
        blocks blocks[0-2] x2: joint joint'1 mlp mlp'1
        refiners refiner_blocks[0-1] x1: self mlp
        """)
  }

  @Test(arguments: [true, false], [true, false])
  func controlChainsOnlyAdd(ahead: Bool, typed: Bool) throws {
    var toy = Toy()
    let start = toy.linear(toy.input("latents"))
    var control = toy.add(toy.linear(toy.input("control")), start)
    var hints: [ValueID] = []
    for _ in 0..<2 {
      control = toy.block(control)
      hints.append(toy.linear(control))
    }
    var x = start
    for index in 0..<4 {
      x = toy.block(x)
      if index % 2 == (ahead ? 0 : 1) {
        x = toy.add(x, toy.mul(hints.removeFirst(), toy.input("scale", [1])))
      }
    }
    let structure = try toy.structure(
      output: toy.linear(x), latents: toy.graph.inputs[0], typed: typed)
    #expect(
      structure.summary == """
        blocks blocks[0-3] x1: self mlp
        control control_blocks[0-1] x1: self mlp
        """)
    let uses = UseIndex(toy.graph)
    for first in 0..<4 {
      for last in first..<4 {
        try expectCuttable(
          try structure.cut(first...last, in: toy.graph, uses: uses), in: toy.graph)
      }
    }
  }

  @Test func aValueThatLaterBlocksReadIsNamed() throws {
    var toy = Toy()
    var x = toy.linear(toy.input("latents"))
    let first = toy.norm(x)
    let values = toy.linear(first)
    for _ in 0..<3 {
      // Every block mixes the values of the first one into its own.
      let n = toy.norm(x)
      x = toy.add(x, toy.attention(toy.add(toy.linear(n), toy.linear(values))))
      x = toy.add(x, toy.mlp(toy.norm(x)))
    }
    let structure = try toy.structure(output: toy.linear(x))
    #expect(structure.summary == "blocks blocks[0-2] x1: self mlp")

    var sharing = Toy()
    x = sharing.linear(sharing.input("latents"))
    var kept: ValueID?
    for _ in 0..<2 {
      let inner = sharing.linear(sharing.norm(x))
      kept = kept ?? inner
      x = sharing.add(x, sharing.attention(inner, over: kept))
      x = sharing.add(x, sharing.mlp(sharing.norm(x)))
    }
    let crossing = try sharing.structure(output: sharing.linear(x))
    let name = try #require(kept.map { sharing.graph.name(of: $0).text })
    #expect(crossing.notes.contains { $0.place == "blocks.0" && $0.message.contains("'\(name)'") })
    #expect(throws: StructureError.self) {
      try crossing.cut(0...0, in: sharing.graph, uses: UseIndex(sharing.graph))
    }
    #expect(throws: Never.self) {
      try crossing.cut(0...1, in: sharing.graph, uses: UseIndex(sharing.graph))
    }
  }

  @Test func modulesKnowTheirGateBranchAndModulatedInput() throws {
    var toy = Toy()
    var x = toy.linear(toy.input("latents"))
    let time = toy.input("time", tokens: 1)
    let start = x
    let chunks = toy.chunks(6, of: time)
    let entry = toy.modulated(x, scale: chunks[1], shift: chunks[0])
    let branch = toy.attention(entry)
    x = toy.add(x, toy.mul(chunks[2], branch))
    x = toy.add(x, toy.mlp(x))
    let structure = try toy.structure(output: toy.linear(x))
    let modules = try #require(structure.blocks.first?.modules)
    #expect(modules[0].input == start)
    #expect(modules[0].gate == chunks[2])
    #expect(modules[0].branch == branch)
    #expect(modules[0].modulatedInput == entry)
    #expect(modules[1].gate == nil)
    #expect(modules[1].modulatedInput == modules[1].input)
  }

  @Test func aRoleNamesTheLatents() throws {
    var toy = Toy()
    let first = toy.input("a", tokens: 6)
    let second = toy.input("b", tokens: 6)
    var x = toy.linear(first)
    var y = toy.linear(second)
    for _ in 0..<2 { (x, y) = toy.dualBlock(x, y, text: 6) }
    let output = toy.linear(toy.concat([x, y]))
    let found = try toy.structure(output: output)
    #expect(found.latents == first)
    let named = try toy.structure(output: output, latents: second)
    #expect(
      named.blocks[0].streams[0].input
        == toy.graph.producer(of: y).map { _ in
          found.blocks[0].streams[1].input
        })
  }

  @Test func namesLabelAndStructureDecides() throws {
    var toy = Toy()
    var x = toy.linear(toy.input("latents"))
    for _ in 0..<4 { x = toy.block(x) }
    toy.graph.addOutput(toy.linear(x))
    func scoped(_ path: (Int) -> String) -> ModelStructure {
      var graph = Graph(opsets: toy.graph.opsets)
      graph = toy.graph
      let structure = ModelStructure(of: graph)
      for block in structure.blocks {
        for id in block.nodes {
          var node = graph[id]
          node.scopes = ["", path(block.position), "n"]
          graph.replace(id, with: node)
        }
      }
      return ModelStructure(of: graph)
    }
    let agreeing = scoped { "layers.\($0).attn" }
    #expect(agreeing.summary == "blocks layers[0-3] x1: self mlp")
    #expect(agreeing.blocks[0].modules[0].name == "attn")
    #expect(agreeing.notes.isEmpty)
    let pairs = scoped { "layers.\($0 / 2).attn" }
    #expect(pairs.summary == "blocks blocks[0-3] x1: self mlp")
    #expect(pairs.notes.map(\.place) == ["layers"])
  }

  @Test func aMillionNodesTakeSeconds() throws {
    var toy = Toy()
    var x = toy.linear(toy.input("latents"))
    while toy.graph.order.count < 1_000_000 { x = toy.block(x) }
    toy.graph.addOutput(toy.linear(x))
    let clock = ContinuousClock()
    let start = clock.now
    let structure = ModelStructure(of: toy.graph)
    #expect(structure.blocks.count > 50_000)
    #expect(clock.now - start < .seconds(30))
  }
}

/// A run can be one node: nothing else that is computed inside is read outside, and nothing outside
/// that depends on what leaves is read inside.
func expectCuttable(_ run: Run, in graph: Graph) throws {
  let inside = Set(run.nodes)
  let leaving = Set(run.streams.map(\.output))
  var after = leaving
  for id in graph.order {
    for value in graph[id].uses {
      guard let producer = graph.producer(of: value) else { continue }
      if inside.contains(id) {
        #expect(inside.contains(producer) || !after.contains(value))
      } else {
        #expect(!inside.contains(producer) || leaving.contains(value))
      }
    }
    if !inside.contains(id), graph[id].uses.contains(where: after.contains) {
      after.formUnion(graph[id].outputs.compactMap { $0 })
    }
  }
}
