import GraphIR

/// Streams beside the latents', such as the text of dual-stream models: which of their branches
/// belong to which block.
struct SideStreams {
  private let flow: Dataflow
  /// Additions on the latents' own spine.
  private let main: Set<Int>
  private let latents: UInt64
  private var barren = Set<ValueID>()

  /// One residual chain that exchanges tokens with the latents.
  struct Lane {
    var branches: [Branch]
    var segments: [Range<Int>]
    /// Where each addition stands among the branches.
    var places: [Int: Int]
  }

  private(set) var lanes: [Lane] = []

  /// A block's part of a lane; an empty range where the block only reads it.
  struct Part {
    let lane: Int
    let value: ValueID
    var branches: Range<Int>
  }

  init(_ flow: Dataflow, main: [Int], latents: UInt64) {
    self.flow = flow
    self.main = Set(main)
    self.latents = latents
  }

  /// The parts of each block, given the branches of each block on the spine.
  mutating func parts(of blocks: [[Branch]]) -> [[Part]] {
    let reads = blocks.map { block in streamsRead(by: block) }
    for values in reads.reversed() {
      for value in values where place(of: value) == nil { addLane(through: value) }
    }
    var result: [[Part]] = blocks.map { _ in [] }
    for lane in lanes.indices { assign(lane, reads, to: &result) }
    return result
  }

  private mutating func assign(_ lane: Int, _ reads: [[ValueID]], to result: inout [[Part]]) {
    var starts: [(block: Int, value: ValueID, place: Int)] = []
    for (block, values) in reads.enumerated() {
      let own = values.compactMap { value in
        place(of: value).flatMap { $0.lane == lane ? (value: value, next: $0.next) : nil }
      }
      if let first = own.min(by: { $0.next < $1.next }) {
        starts.append((block, first.value, first.next))
      }
    }
    guard starts.contains(where: { $0.place < lanes[lane].branches.count }) else { return }
    var segments = lanes[lane].segments
    let owners = starts.map { start in segments.firstIndex { $0.contains(start.place) } }
    let owned = owners.compactMap { $0 }
    if Set(owned).count != owned.count {
      let places = Set(starts.map(\.place)).sorted() + [lanes[lane].branches.count]
      segments = zip(places, places.dropFirst()).map { $0..<$1 }
      lanes[lane].segments = segments
    }
    for start in starts {
      let segment = segments.first { $0.contains(start.place) }
      let count = lanes[lane].branches.count
      let value = segment.map { lanes[lane].branches[$0.lowerBound].base } ?? start.value
      result[start.block].append(
        Part(lane: lane, value: value, branches: segment ?? count..<count))
    }
  }

  /// The lane of a value and the first of its branches that comes after it.
  private func place(of value: ValueID) -> (lane: Int, next: Int)? {
    for (number, lane) in lanes.enumerated() {
      if let addition = flow.addition(computing: value), let place = lane.places[addition] {
        return (number, place + 1)
      }
      if let next = (flow.additionsBySpine[value] ?? []).lazy.compactMap({ lane.places[$0] }).min()
      {
        return (number, next)
      }
    }
    return nil
  }

  private mutating func addLane(through value: ValueID) {
    var end = value
    while let next = (flow.additionsBySpine[end] ?? []).last(where: { !main.contains($0) }) {
      end = flow.additions[next].output
    }
    let sources = flow.lineage[value]
    let path = SpinePath(to: end, from: sources, in: flow) { value in
      flow.addition(computing: value).map(main.contains) ?? false
    }
    let branches = path.branches.map { Branch($0, in: flow) }
    lanes.append(
      Lane(
        branches: branches, segments: Segmentation(branches).segments,
        places: Dictionary(
          uniqueKeysWithValues: branches.enumerated().map { ($1.number, $0) })))
  }

  /// Hidden states of other chains that a block's attentions read and that change in exchange.
  private mutating func streamsRead(by block: [Branch]) -> [ValueID] {
    var result: [ValueID] = []
    for branch in block {
      for value in branch.foreignTokens {
        for found in chains(behind: value) where !result.contains(found) { result.append(found) }
      }
    }
    return result
  }

  private mutating func chains(behind value: ValueID) -> [ValueID] {
    var found: [ValueID] = []
    var seen = Set<ValueID>()
    var pending = [value]
    while let value = pending.popLast() {
      guard !barren.contains(value), seen.insert(value).inserted else { continue }
      let origin = flow.origin[value]
      if let number = flow.addition(computing: origin) {
        if !main.contains(number), isExchanging(origin) { found.append(origin) }
        continue
      }
      if isExchanging(origin) {
        found.append(origin)
        continue
      }
      if let producer = flow.graph.producer(of: origin) {
        pending += flow.operands(of: producer).filter { !flow.isConstant($0) }
      }
    }
    if found.isEmpty { barren.formUnion(seen) }
    return found
  }

  /// True when the latents change a chain after this value, or have changed it before.
  private func isExchanging(_ value: ValueID) -> Bool {
    for number in flow.additionsBySpine[value] ?? [] where !main.contains(number) {
      if flow.sources[flow.additions[number].branch] & latents != 0 { return true }
    }
    guard let number = flow.addition(computing: value) else { return false }
    return flow.sources[value] & latents != 0 && flow.lineage[value] & latents == 0
      && !main.contains(number)
  }
}
