public import GraphIR
import Tensors

extension ModelStructure {
  /// Finds the blocks of a graph by its dataflow; names of the exporter only label them.
  ///
  /// The spine is the way of the latents to the first output, through residual additions. Every
  /// residual branch on it is a module; `Segmentation` groups modules into blocks, `BlockFamilies` blocks
  /// into families. Types are read where they are known. The cost is linear in the nodes for graphs
  /// in the order that exporters write.
  ///
  /// - Parameters:
  ///   - graph: a model
  ///   - latents: the input of the hidden states; the one most like the first output when nil
  public init(of graph: Graph, latents: ValueID? = nil) {
    var analysis = StructureAnalysis(graph: graph, latents: latents)
    analysis.run()
    self = analysis.structure
  }
}

/// The steps of the analysis and what they found so far.
struct StructureAnalysis {
  let graph: Graph
  let uses: UseIndex
  let flow: Dataflow
  let positions: [Int]
  let labels: BlockLabels
  var structure = ModelStructure()

  /// A block before it has a family.
  struct Draft {
    /// The latents' stream first.
    var streams: [Stream]
    /// With the streams they add to, in execution order.
    var branches: [(branch: Branch, stream: Int)]
    /// All nodes that only this block needs.
    var nodes: Set<NodeID> = []
    var dependent: [NodeID] = []
    var layout = 0
    var mixtures = 0
    /// True when the tokens of a text have met these hidden states by the end of the block.
    var meetsText = false

    var position: Int { branches.last?.branch.position ?? 0 }
  }

  init(graph: Graph, latents: ValueID?) {
    self.graph = graph
    uses = UseIndex(graph)
    flow = Dataflow(graph, uses: uses)
    positions = graph.orderPositions()
    labels = BlockLabels(graph)
    structure.latents = latents ?? flow.likelyLatents()
  }

  mutating func run() {
    guard let latents = structure.latents, let output = graph.outputs.first else { return }
    let sources = flow.sources[latents]
    let path = SpinePath(to: output, from: sources, in: flow) { _ in false }
    let branches = path.branches.map { Branch($0, in: flow) }
    let segments = bodySegments(
      Segmentation(branches, breaks: projections(on: path)).segments.map { Array(branches[$0]) })
    var side = SideStreams(flow, main: path.branches, latents: sources)
    let parts = side.parts(of: segments)
    var drafts = zip(segments, parts).map { segment, parts in
      draft(of: segment, parts, side.lanes)
    }
    drafts = joined(drafts, by: path, sources)
    for index in drafts.indices { complete(&drafts[index]) }
    let familyNumbers = BlockFamilies(drafts.map(form)).numbers
    let before = refinersBeforeText(drafts, familyNumbers)
    var taken = Set(path.branches)
    for draft in drafts { taken.formUnion(draft.branches.map(\.branch.number)) }
    let refining = drafts.indices.filter { before.contains(familyNumbers[$0]) }
    let main = drafts.indices.filter { !before.contains(familyNumbers[$0]) }
    var chains = SideChains(flow, taken: taken, inside: drafts.map(\.dependent))
    let found = chains.find(injectedBy: path, latents: sources)
    var refiners = refining.map { (drafts[$0], familyNumbers[$0]) }
    refiners += self.drafts(of: found.refiners, numberedFrom: familyNumbers.count)
    refiners.sort { $0.0.position < $1.0.position }
    var names = BlockNames(labels)
    structure.blocks = names.blocks(main.map { (drafts[$0], familyNumbers[$0]) }, default: "blocks")
    structure.refiners = names.blocks(refiners, default: "refiner_blocks")
    structure.control = names.blocks(
      self.drafts(of: found.control, numberedFrom: 0), default: "control_blocks")
    structure.notes += names.notes
    if graph.statePairs.isEmpty {
      noteCrossings(structure.blocks + structure.refiners + structure.control)
      noteLongSkips(structure.blocks)
    }
  }

  /// Leaves out segments without attention at both ends, when there are others: convolutions of the
  /// patch embedding and the like.
  private mutating func bodySegments(_ segments: [[Branch]]) -> [[Branch]] {
    func hasAttention(_ segment: [Branch]) -> Bool { segment.contains(where: \.isAttention) }
    guard let first = segments.firstIndex(where: hasAttention),
      let last = segments.lastIndex(where: hasAttention)
    else { return segments }
    for segment in segments[..<first] + segments[(last + 1)...] {
      guard let start = segment.first, let end = segment.last else { continue }
      structure.notes.append(
        StructureNote(
          place: "\(graph.name(of: start.base))",
          message: "a residual segment up to '\(graph.name(of: end.output))' has no attention and "
            + "stands outside the blocks"))
    }
    return Array(segments[first...last])
  }

  /// Branches before which the hidden states pass a product on the spine.
  private func projections(on path: SpinePath) -> Set<Int> {
    var result = Set<Int>()
    var count = 0
    for step in path.steps {
      switch step {
      case .branch: count += 1
      case .injection: break
      case .passage(let id):
        if OperatorClass.products.contains(graph[id].op) { result.insert(count) }
      }
    }
    return result
  }

  private func draft(
    of segment: [Branch], _ parts: [SideStreams.Part], _ lanes: [SideStreams.Lane]
  ) -> Draft {
    var streams = [Stream(input: segment[0].base, output: segment[segment.count - 1].output)]
    var branches = segment.map { (branch: $0, stream: 0) }
    if parts.isEmpty, let latents = structure.latents {
      for index in branches.indices {
        branches[index].branch.keepOwnKeys(of: flow.sources[latents], in: flow)
      }
    }
    for part in parts {
      let own = lanes[part.lane].branches[part.branches]
      streams.append(Stream(input: part.value, output: own.last?.output ?? part.value))
      branches += own.map { ($0, streams.count - 1) }
    }
    branches.sort { $0.branch.position < $1.branch.position }
    return Draft(streams: streams, branches: branches)
  }

  /// Looks at what lies between the blocks on the spine.
  ///
  /// A projection between two blocks (of a long skip, say) belongs to the second one.
  private func joined(_ drafts: [Draft], by path: SpinePath, _ sources: UInt64) -> [Draft] {
    var drafts = drafts
    let starts = Dictionary(
      uniqueKeysWithValues: drafts.enumerated().compactMap { index, draft in
        draft.branches.first { $0.stream == 0 }.map { ($0.branch.number, index) }
      })
    var between: [NodeID] = []
    var meetsText = false
    var mixtures = 0
    for step in path.steps {
      switch step {
      case .passage(let id): between.append(id)
      case .injection: break
      case .branch(let number):
        if let index = starts[number] {
          let isMixing = between.contains { mixesTokens($0, sources) }
          meetsText = meetsText || isMixing
          if isMixing { mixtures += 1 }
          drafts[index].mixtures = mixtures
          drafts[index].meetsText = meetsText
          drafts[index].layout = layout(of: drafts[index].streams[0].input)
          let hasProduct = between.contains { OperatorClass.products.contains(graph[$0].op) }
          let isPlain = between.allSatisfy { graph[$0].subgraphs.isEmpty }
          if index > 0, hasProduct, isPlain, !isMixing {
            let before = drafts[index - 1].streams[0].output
            if graph.type(of: before).agrees(with: graph.type(of: drafts[index].streams[0].input)) {
              drafts[index].streams[0].input = before
              drafts[index].layout = 0
            }
          }
        }
        between = []
      }
    }
    for index in drafts.indices {
      let mixes = drafts[index].branches.contains {
        $0.branch.kind == .crossAttention || $0.branch.kind == .jointAttention
      }
      meetsText = index == 0 ? mixes : meetsText || mixes
      if index == 0 { meetsText = mixes }
      if index > 0, drafts[index - 1].meetsText { drafts[index].meetsText = true }
      if mixes { drafts[index].meetsText = true }
    }
    return drafts
  }

  /// True for a node that puts tokens of other origin beside those of the latents.
  private func mixesTokens(_ id: NodeID, _ sources: UInt64) -> Bool {
    guard ["Concat", "ScatterND", "ScatterElements"].contains(graph[id].op.type) else {
      return false
    }
    return flow.operands(of: id).contains {
      !flow.isConstant($0) && flow.lineage[$0] & sources == 0
    }
  }

  /// A hash of the transpositions that made a value of the hidden states before it.
  private func layout(of value: ValueID) -> Int {
    var value = value
    var hasher = StableHasher()
    var isMoved = false
    while true {
      if let producer = graph.producer(of: value), graph[producer].op == "Transpose",
        case .ints(let axes) = graph[producer].attribute("perm")
      {
        for axis in axes { hasher.combine(axis) }
        isMoved = true
      }
      let next = flow.step(back: value)
      if next == value { return isMoved ? hasher.value : 0 }
      value = next
    }
  }

  private func complete(_ draft: inout Draft) {
    let region = BlockRegion(
      from: draft.streams.map(\.input), to: draft.streams.filter(\.hasEnd).map(\.output),
      in: graph, positions: positions)
    draft.dependent = region.dependent
    draft.nodes = BlockRegion.closure(
      of: region.dependent, entering: Set(draft.streams.map(\.input)), in: graph, uses: uses)
  }

  private func form(of draft: Draft) -> BlockFamilies.Form {
    BlockFamilies.Form(
      streams: draft.streams.count, type: graph.type(of: draft.streams[0].input),
      layout: draft.layout, mixtures: draft.mixtures,
      branches: draft.branches.filter { $0.stream == 0 }.map(\.branch.form))
  }

  /// Families that end before text enters the spine, if it ever does.
  private func refinersBeforeText(_ drafts: [Draft], _ families: [Int]) -> Set<Int> {
    guard let first = drafts.firstIndex(where: \.meetsText) else { return [] }
    return Set(families[..<first]).subtracting(families[first...])
  }

  /// The blocks of residual chains aside of the spine.
  private func drafts(
    of chains: [[Branch]], numberedFrom start: Int
  ) -> [(Draft, Int)] {
    var result: [(Draft, Int)] = []
    var number = start
    for chain in chains {
      var drafts = Segmentation(chain).segments.map { draft(of: Array(chain[$0]), [], []) }
      for index in drafts.indices { complete(&drafts[index]) }
      let numbers = BlockFamilies(drafts.map(form)).numbers
      result += zip(drafts, numbers).map { ($0, $1 + number) }
      number += (numbers.max() ?? -1) + 1
    }
    return result.sorted { $0.0.position < $1.0.position }
  }
}

extension Dataflow {
  /// The input that the first output most resembles among those that it descends from.
  fileprivate func likelyLatents() -> ValueID? {
    guard let output = graph.outputs.first else { return nil }
    let states = Set(graph.statePairs.map(\.input))
    let shape = graph.tensorType(of: output)?.shape
    func likeness(_ input: ValueID) -> Int {
      guard let shape, let own = graph.tensorType(of: input)?.shape else { return 0 }
      let equal = zip(shape, own).count { $0 == $1 }
      return (own.count == shape.count ? 8 : 0) + equal + min(own.count, 4)
    }
    let inputs = graph.inputs.filter { input in
      let type = graph.tensorType(of: input)
      return !states.contains(input) && type?.dataType != .bool
        && (type?.shape?.count ?? 2 > 1 || type?.dataType?.isFloatingPoint ?? true)
    }
    var candidates = inputs.filter { lineage[output] & sources[$0] != 0 }
    if candidates.isEmpty { candidates = inputs.filter { sources[output] & sources[$0] != 0 } }
    var best: (input: ValueID, likeness: Int)?
    for input in candidates where likeness(input) > best?.likeness ?? -1 {
      best = (input, likeness(input))
    }
    return best?.input
  }
}
