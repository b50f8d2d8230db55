import GraphIR
import ModelStructure
import Testing

/// Every form of transformer, without any name to go by.
@Suite struct FormTests {
  @Test(arguments: [true, false]) func plainBlocks(typed: Bool) throws {
    var toy = Toy()
    var x = toy.linear(toy.input("latents"))
    for _ in 0..<3 { x = toy.block(x) }
    let structure = try toy.structure(output: toy.linear(toy.norm(x)), typed: typed)
    #expect(structure.summary == "blocks blocks[0-2] x1: self mlp")
    #expect(structure.notes.isEmpty)
  }

  @Test(arguments: [true, false]) func blocksWithTheirOwnModulation(typed: Bool) throws {
    var toy = Toy()
    var x = toy.linear(toy.input("latents"))
    let time = toy.op("Sigmoid", [toy.linear(toy.input("time", tokens: 1))])
    for _ in 0..<3 { x = toy.block(x, modulatedBy: toy.chunks(6, of: time)) }
    let structure = try toy.structure(output: toy.linear(toy.norm(x)), typed: typed)
    #expect(structure.summary == "blocks blocks[0-2] x1: self mlp")
  }

  @Test(arguments: [true, false]) func oneModulationForAllBlocks(typed: Bool) throws {
    var toy = Toy()
    var x = toy.linear(toy.input("latents"))
    let shared = toy.chunks(6, of: toy.input("time", tokens: 1))
    for _ in 0..<3 { x = toy.block(x, modulatedBy: shared) }
    let structure = try toy.structure(output: toy.linear(toy.norm(x)), typed: typed)
    #expect(structure.summary == "blocks blocks[0-2] x1: self mlp")
    #expect(try toy.ownsNothingShared(structure, shared))
  }

  @Test(arguments: [true, false]) func crossAttentionInEveryBlock(typed: Bool) throws {
    var toy = Toy()
    var x = toy.linear(toy.input("latents"))
    let text = toy.linear(toy.input("text", tokens: 4))
    for _ in 0..<2 {
      x = toy.add(x, toy.attention(toy.norm(x)))
      x = toy.add(x, toy.attention(toy.norm(x), over: text))
      x = toy.add(x, toy.mlp(toy.norm(x)))
    }
    let structure = try toy.structure(output: toy.linear(x), typed: typed)
    #expect(structure.summary == "blocks blocks[0-1] x1: self cross mlp")
  }

  @Test(arguments: [true, false]) func crossAttentionInEveryThirdBlock(typed: Bool) throws {
    var toy = Toy()
    var x = toy.linear(toy.input("latents"))
    let text = toy.linear(toy.input("text", tokens: 4))
    for index in 0..<6 {
      x = toy.add(x, toy.attention(toy.norm(x)))
      if index % 3 == 2 { x = toy.add(x, toy.attention(toy.norm(x), over: text)) }
      x = toy.add(x, toy.mlp(toy.norm(x)))
    }
    let structure = try toy.structure(output: toy.linear(x), typed: typed)
    #expect(
      structure.summary == """
        blocks blocks[0-1] x1: self mlp
        blocks blocks[2-2] x1: self cross mlp
        blocks blocks[3-4] x1: self mlp
        blocks blocks[5-5] x1: self cross mlp
        """)
  }

  @Test(arguments: [true, false]) func aSpecialFirstAndLastBlock(typed: Bool) throws {
    var toy = Toy()
    var x = toy.linear(toy.input("latents"))
    for hidden in [24, 16, 16, 32] {
      x = toy.add(x, toy.attention(toy.norm(x)))
      x = toy.add(x, toy.mlp(toy.norm(x), hidden: hidden))
    }
    let structure = try toy.structure(output: toy.linear(x), typed: typed)
    #expect(structure.summary == "blocks blocks[0-3] x1: self mlp")
  }

  @Test(arguments: [true, false]) func dualStreams(typed: Bool) throws {
    var toy = Toy()
    var x = toy.linear(toy.input("latents"))
    var e = toy.linear(toy.input("text", tokens: 4))
    for _ in 0..<3 { (x, e) = toy.dualBlock(x, e) }
    // The last block only reads the text.
    let mixed = toy.attention(toy.concat([toy.linear(toy.norm(x)), toy.linear(toy.norm(e))]))
    x = toy.add(x, toy.slice(mixed, 0..<6))
    x = toy.add(x, toy.mlp(toy.norm(x)))
    let structure = try toy.structure(output: toy.linear(x), typed: typed)
    #expect(
      structure.summary == """
        blocks blocks[0-2] x2: joint joint'1 mlp mlp'1
        blocks blocks[3-3] x2: joint mlp
        """)
    #expect(structure.blocks[3].streams.map(\.hasEnd) == [true, false])
    #expect(structure.notes.isEmpty)
  }

  @Test(arguments: [true, false], [true, false])
  func singleStreamAfterDualStreams(textFirst: Bool, typed: Bool) throws {
    var toy = Toy()
    var x = toy.linear(toy.input("latents"))
    var e = toy.linear(toy.input("text", tokens: 4))
    for _ in 0..<2 { (x, e) = toy.dualBlock(x, e) }
    let split = textFirst ? 4 : 6
    for _ in 0..<3 {
      let joined = toy.parallelBlock(toy.concat(textFirst ? [e, x] : [x, e]))
      let parts = [toy.slice(joined, 0..<split), toy.slice(joined, split..<10)]
      (x, e) = textFirst ? (parts[1], parts[0]) : (parts[0], parts[1])
    }
    let structure = try toy.structure(output: toy.linear(toy.norm(x)), typed: typed)
    #expect(
      structure.summary == """
        blocks blocks[0-1] x2: joint joint'1 mlp mlp'1
        blocks blocks_2[0-2] x1: parallel
        """)
    #expect(structure.runs(of: Array(0..<5), in: toy.graph) == [0...1, 2...4])
  }

  @Test(arguments: [true, false]) func parallelBranchesInTwoAdditions(typed: Bool) throws {
    var toy = Toy()
    var x = toy.linear(toy.input("latents"))
    for _ in 0..<3 {
      let n = toy.norm(x)
      x = toy.add(toy.add(x, toy.attention(n)), toy.mlp(n))
    }
    let structure = try toy.structure(output: toy.linear(x), typed: typed)
    #expect(structure.summary == "blocks blocks[0-2] x1: self mlp")
  }

  @Test(arguments: [true, false]) func spatialAndTemporalBlocksAlternate(typed: Bool) throws {
    var toy = Toy()
    var x = toy.linear(toy.input("latents", [3, 5, 8]))
    for _ in 0..<3 {
      x = toy.transpose(toy.block(x), [1, 0, 2])
      x = toy.transpose(toy.block(x), [1, 0, 2])
    }
    let structure = try toy.structure(output: toy.linear(x), typed: typed)
    #expect(
      structure.blocks.map(\.family) == [
        "blocks", "blocks_2", "blocks", "blocks_2", "blocks", "blocks_2",
      ])
    #expect(structure.blocks.map(\.index) == [0, 0, 1, 1, 2, 2])
    #expect(structure.runs(of: Array(0..<6), in: toy.graph).count == 6)
  }

  @Test(arguments: [true, false]) func postNormAndSandwich(typed: Bool) throws {
    var toy = Toy()
    var x = toy.linear(toy.input("latents"))
    for _ in 0..<2 {
      x = toy.norm(toy.add(x, toy.attention(x)))
      x = toy.norm(toy.add(x, toy.mlp(x)))
    }
    let post = try toy.structure(output: toy.linear(x), typed: typed)
    #expect(post.summary == "blocks blocks[0-1] x1: self mlp")

    var other = Toy()
    x = other.linear(other.input("latents"))
    for _ in 0..<2 {
      x = other.add(x, other.norm(other.attention(other.norm(x))))
      x = other.add(x, other.norm(other.mlp(other.norm(x))))
    }
    let sandwich = try other.structure(output: other.linear(x), typed: typed)
    #expect(sandwich.summary == "blocks blocks[0-1] x1: self mlp")
  }

  @Test(arguments: [true, false]) func layerScaleAndScaledAdditions(typed: Bool) throws {
    var toy = Toy()
    var x = toy.linear(toy.input("latents"))
    for _ in 0..<2 {
      x = toy.add(x, toy.mul(toy.attention(toy.norm(x)), toy.weight([8])))
      let half = toy.weight([1])
      x = toy.add(toy.mul(x, half), toy.mul(toy.mlp(toy.norm(x)), half))
    }
    let structure = try toy.structure(output: toy.linear(x), typed: typed)
    #expect(structure.summary == "blocks blocks[0-1] x1: self mlp")
    let first = try #require(structure.blocks.first)
    #expect(first.modules[0].gate != nil)
    #expect(typed ? first.modules[1].gate == nil : true)
  }

  @Test(arguments: [true, false]) func feedForwardBeforeAndAfterAttention(typed: Bool) throws {
    var toy = Toy()
    var x = toy.linear(toy.input("latents"))
    let time = toy.input("time", tokens: 1)
    for _ in 0..<3 {
      let gates = toy.chunks(3, of: time)
      x = toy.add(x, toy.mul(gates[0], toy.mlp(toy.norm(x))))
      x = toy.add(x, toy.mul(gates[1], toy.attention(toy.norm(x))))
      x = toy.add(x, toy.mul(gates[2], toy.mlp(toy.norm(x))))
    }
    let structure = try toy.structure(output: toy.linear(x), typed: typed)
    #expect(structure.summary == "blocks blocks[0-2] x1: mlp self mlp")
  }

  @Test(arguments: [true, false]) func residualsAtBothEndsAreNoBlocks(typed: Bool) throws {
    var toy = Toy()
    var x = toy.input("latents")
    x = toy.add(x, toy.linear(x))
    x = toy.linear(x)
    for _ in 0..<3 { x = toy.block(x) }
    x = toy.linear(x)
    x = toy.add(x, toy.linear(x))
    let structure = try toy.structure(output: x, typed: typed)
    #expect(structure.summary == "blocks blocks[0-2] x1: self mlp")
    #expect(structure.notes.count == 2)
    #expect(structure.notes.allSatisfy { $0.message.contains("has no attention") })
  }

  @Test(arguments: [true, false]) func linearAttentionAndExperts(typed: Bool) throws {
    var toy = Toy()
    var x = toy.linear(toy.input("latents"))
    for _ in 0..<2 {
      let n = toy.norm(x)
      let keys = toy.op("Relu", [toy.linear(n)])
      let context = toy.op("MatMul", [toy.transpose(keys, [0, 2, 1]), toy.linear(n)])
      x = toy.add(x, toy.linear(toy.op("MatMul", [toy.op("Relu", [toy.linear(n)]), context])))
      let routed = toy.norm(x)
      let choice = toy.op("Softmax", [toy.linear(routed, to: 1)])
      x = toy.add(x, toy.mul(choice, toy.mlp(routed)))
    }
    let structure = try toy.structure(output: toy.linear(x), typed: typed)
    #expect(structure.summary == "blocks blocks[0-1] x1: self mlp")
  }

  @Test(arguments: [true, false]) func anMlpAfterAttentionInOneAddition(typed: Bool) throws {
    var toy = Toy()
    var x = toy.linear(toy.input("latents"))
    for _ in 0..<3 {
      let middle = toy.norm(toy.add(x, toy.attention(toy.norm(x))))
      x = toy.add(x, toy.mlp(middle))
    }
    let structure = try toy.structure(output: toy.linear(x), typed: typed)
    #expect(structure.summary == "blocks blocks[0-2] x1: self")
  }

  @Test func aGraphWithoutBlocksHasNone() throws {
    var toy = Toy()
    let structure = try toy.structure(output: toy.linear(toy.input("latents")))
    #expect(structure.summary.isEmpty)
    #expect(ModelStructure(of: Graph()).summary.isEmpty)
  }
}

extension Toy {
  /// True when no block owns the node that computes one of these values.
  func ownsNothingShared(_ structure: ModelStructure, _ values: [ValueID]) throws -> Bool {
    let producers = Set(values.compactMap { graph.producer(of: $0) })
    return structure.blocks.allSatisfy { producers.isDisjoint(with: $0.nodes) }
  }
}
