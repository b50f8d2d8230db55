public import GraphIR

extension ModelStructure {
  /// Finds the blocks of a graph.
  ///
  /// Candidates come from the exporter's module paths (`pkg.torch.onnx.name_scopes`) or the node
  /// names of the legacy exporter. Each is confirmed by dataflow: hidden states must enter, pass
  /// residual additions and leave. The cost is linear in the nodes.
  public init(of graph: Graph) {
    let uses = UseIndex(graph)
    var analysis = StructureAnalysis(graph: graph, uses: uses)
    analysis.run()
    self = analysis.structure
  }
}

/// The steps of the analysis and what they found so far.
struct StructureAnalysis {
  let graph: Graph
  let uses: UseIndex
  var structure = ModelStructure()

  /// A segment confirmed by dataflow.
  struct Candidate {
    let segment: NamedSegments.Segment
    var streams: [Stream]
    var modules: [Module]
  }

  mutating func run() {
    let named = NamedSegments(graph, uses: uses)
    var candidates: [Candidate] = []
    var known: Set<ValueID> = []
    for segment in named.segments {
      let walk = SpineWalk(graph, inside: segment.nodes)
      let streams = streams(of: segment, walk: walk, known: known)
      guard !streams.isEmpty else { continue }
      known.formUnion(streams.map(\.output))
      let modules = ModuleAnalysis(
        graph: graph, segment: segment, walk: walk, streams: streams, innerNames: named.innerNames
      ).modules()
      candidates.append(Candidate(segment: segment, streams: streams, modules: modules))
    }
    noteUnconfirmed(named.segments, confirmed: candidates)
    group(candidates)
  }

  /// The values that leave a segment on the spine, each with the value it entered as.
  private func streams(
    of segment: NamedSegments.Segment, walk: SpineWalk, known: Set<ValueID>
  ) -> [Stream] {
    let members = Set(segment.nodes)
    var exits: [(value: ValueID, result: SpineWalk.Result)] = []
    for id in segment.nodes {
      for case .some(let value) in graph[id].outputs {
        let leaves =
          uses.isOutput(value) || uses.users(of: value).contains { !members.contains($0) }
        guard leaves else { continue }
        let result = walk.walk(from: value)
        if !result.additions.isEmpty { exits.append((value, result)) }
      }
    }
    let passedByOthers = exits.enumerated().map { number, exit in
      exits.enumerated().contains { $0 != number && $1.result.passed.contains(exit.value) }
    }
    exits = zip(exits, passedByOthers).filter { !$1 }.map(\.0)
    var streams: [Stream] = []
    var taken = Set<ValueID>()
    for exit in exits {
      guard
        let source = source(of: exit.value, among: exit.result.sources, taken: taken, known: known)
      else { continue }
      taken.insert(source)
      streams.append(Stream(input: source, output: exit.value))
    }
    let ending = exits.flatMap(\.result.sources).filter {
      known.contains($0) && !taken.contains($0)
    }
    for source in ending where taken.insert(source).inserted {
      streams.append(Stream(input: source, output: source))
    }
    return streams
  }

  /// Which of the values that a walk arrived at is this stream before the segment.
  private func source(
    of exit: ValueID, among sources: [ValueID], taken: Set<ValueID>, known: Set<ValueID>
  ) -> ValueID? {
    let free = sources.filter { !taken.contains($0) }
    let continuing = free.filter(known.contains)
    let candidates = continuing.isEmpty ? free : continuing
    return candidates.first { graph.type(of: $0) == graph.type(of: exit) } ?? candidates.first
  }

  private mutating func noteUnconfirmed(
    _ segments: [NamedSegments.Segment], confirmed: [Candidate]
  ) {
    let found = Set(confirmed.map { $0.segment.family })
    var reported = Set<String>()
    let counts = Dictionary(grouping: segments, by: \.family)
    for segment in segments
    where !found.contains(segment.family) && reported.insert(segment.family).inserted {
      guard let members = counts[segment.family], members.count > 1 else { continue }
      structure.notes.append(
        StructureNote(
          place: segment.family,
          message: "\(members.count) elements, but no hidden states pass through residual additions"
        ))
    }
  }
}
