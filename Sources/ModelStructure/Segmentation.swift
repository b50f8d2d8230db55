import GraphIR

/// Cuts the branches of a spine into blocks.
///
/// A block begins where attention follows a feed-forward network. Branches that share a modulation of
/// their own (one projection of the timestep, chunked) stay together, and where two such groups
/// meet there is a border. Without either, the shortest period of forms decides.
struct Segmentation {
  /// Ranges of branches, covering all.
  let segments: [Range<Int>]

  /// - Parameters:
  ///   - branches: those of one spine
  ///   - breaks: places before which the hidden states are projected anew
  init(_ branches: [Branch], breaks: Set<Int> = []) {
    guard !branches.isEmpty else {
      segments = []
      return
    }
    var borders = branches.indices.dropFirst().filter {
      breaks.contains($0) || (branches[$0].isAttention && branches[$0 - 1].isFeedForward)
    }
    let ties = Self.ties(of: branches, borders: borders)
    if !ties.isEmpty {
      let starts = Set(ties.map(\.lowerBound))
      let ends = Set(ties.map { $0.upperBound + 1 })
      var depths = [Int](repeating: 0, count: branches.count + 2)
      for tie in ties {
        depths[tie.lowerBound + 1] += 1
        depths[tie.upperBound + 1] -= 1
      }
      for index in depths.indices.dropFirst() { depths[index] += depths[index - 1] }
      let grammatical = Set(borders)
      borders = branches.indices.dropFirst().filter {
        breaks.contains($0)
          || (depths[$0] == 0
            && (grammatical.contains($0) || (starts.contains($0) && ends.contains($0))))
      }
    }
    if borders.isEmpty, ties.isEmpty,
      Set(branches.map(\.isAttention)).count == 1
    {
      let period = Self.period(of: branches.map(\.form))
      borders = Array(stride(from: period, to: branches.count, by: period))
    }
    let edges = [0] + borders + [branches.count]
    segments = Self.trimmed(zip(edges, edges.dropFirst()).map { $0..<$1 }, branches)
  }

  /// Ranges of at least two branches that one modulation belongs to.
  ///
  /// A modulation of several blocks, such as the timestep embedding itself, ties nothing: it serves
  /// equal branches only, or its range holds equal attentions on both sides of a border, or is the
  /// whole spine.
  private static func ties(of branches: [Branch], borders: [Int]) -> [ClosedRange<Int>] {
    var ranges: [ValueID: ClosedRange<Int>] = [:]
    var isMixed = Set<ValueID>()
    for (index, branch) in branches.enumerated() {
      for value in branch.modulations {
        let first = ranges[value]?.lowerBound ?? index
        ranges[value] = first...index
        if branches[first].form != branch.form { isMixed.insert(value) }
      }
    }
    var segment = [Int](repeating: 0, count: branches.count)
    for border in borders { segment[border] = 1 }
    for index in segment.indices.dropFirst() { segment[index] += segment[index - 1] }
    // The next attention of the same form in another segment, from each branch on.
    var repeats = [Int](repeating: .max, count: branches.count + 1)
    var last: [Int: Int] = [:]
    for index in branches.indices.reversed() {
      repeats[index] = repeats[index + 1]
      guard branches[index].isAttention else { continue }
      if let next = last[branches[index].form], segment[next] != segment[index] {
        repeats[index] = min(repeats[index], next)
      }
      last[branches[index].form] = index
    }
    return Set(ranges.filter { isMixed.contains($0.key) }.values).filter { range in
      let spansBorder = segment[range.lowerBound] != segment[range.upperBound]
      let isWhole = range.count == branches.count
      return range.count > 1
        && (!spansBorder || (repeats[range.lowerBound] > range.upperBound && !isWhole))
    }.sorted { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }
  }

  /// Cuts what follows the last block off it: branches without attention that other blocks lack.
  private static func trimmed(_ segments: [Range<Int>], _ branches: [Branch]) -> [Range<Int>] {
    guard segments.count > 1, let last = segments.last else { return segments }
    let before = segments[segments.count - 2].count
    let forms = { (range: Range<Int>) in branches[range].map(\.form) }
    let core = last.lowerBound..<min(last.lowerBound + before, last.upperBound)
    let rest = core.upperBound..<last.upperBound
    guard !rest.isEmpty, !branches[rest].contains(where: \.isAttention),
      forms(core) == forms(segments[segments.count - 2])
    else { return segments }
    return segments.dropLast() + [core, rest]
  }

  /// The shortest length after which the forms repeat, or that of the whole.
  private static func period(of forms: [Int]) -> Int {
    var borders = [Int](repeating: 0, count: forms.count)
    var length = 0
    for index in forms.indices.dropFirst() {
      while length > 0, forms[index] != forms[length] { length = borders[length - 1] }
      if forms[index] == forms[length] { length += 1 }
      borders[index] = length
    }
    return forms.count - (borders.last ?? 0)
  }
}
