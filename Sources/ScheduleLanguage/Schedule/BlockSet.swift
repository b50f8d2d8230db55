/// The place of a block in a list whose length is not known yet.
public enum BlockIndex: Hashable, Sendable {
  /// The block so many places after the first one.
  case fromStart(Int)
  /// The block so many places before the end: 1 is the last one.
  case fromEnd(Int)

  /// The index among `count` blocks; it may lie outside of them.
  func position(count: Int) -> Int {
    switch self {
    case .fromStart(let index): index
    case .fromEnd(let distance): count - distance
    }
  }
}

/// Consecutive blocks, both ends included: `4`, `2-7`, `10..`, `-1` or `-3..`.
public struct BlockRange: Hashable, Sendable {
  /// The first block.
  public var first: BlockIndex
  /// The last block.
  public var last: BlockIndex
  /// Where the range is written.
  public var range: SourceRange

  /// A range of blocks written at a place.
  public init(
    first: BlockIndex, last: BlockIndex, range: SourceRange = SourceRange(start: 0, end: 0)
  ) {
    self.first = first
    self.last = last
    self.range = range
  }

  /// The range as the language writes it.
  public var text: String {
    switch (first, last) {
    case (.fromStart(let a), .fromStart(let b)): a == b ? "\(a)" : "\(a)-\(b)"
    case (.fromStart(let a), .fromEnd(let b)): b == 1 ? "\(a).." : "\(a)..-\(b)"
    case (.fromEnd(let a), .fromEnd(let b)): a == b ? "-\(a)" : "-\(a).."
    case (.fromEnd(let a), .fromStart): "-\(a).."
    }
  }
}

/// Blocks of one family, or of all families in execution order.
public struct BlockTerm: Hashable, Sendable {
  /// The family or an alias of it; nil for `blocks`, which counts all blocks in execution order.
  public var family: String?
  /// The listed ranges, in the order of the text.
  public var ranges: [BlockRange]
  /// Where the term is written.
  public var range: SourceRange

  /// Ranges of blocks of a family, or of all blocks.
  public init(
    family: String? = nil, ranges: [BlockRange],
    range: SourceRange = SourceRange(start: 0, end: 0)
  ) {
    self.family = family
    self.ranges = ranges
    self.range = range
  }

  /// The word that stands before the bracket.
  public var familyText: String { family ?? "blocks" }

  /// The term as the language writes it.
  public var text: String {
    "\(familyText)[\(ranges.map(\.text).joined(separator: ", "))]"
  }

  /// The indices, ascending, that the term means among `count` blocks.
  ///
  /// A range that reaches past either end, runs backwards, or lists a block again is a problem
  /// whose message says both numbers.
  public func resolve(count: Int) throws(Problem) -> [Int] {
    var indices: [Int] = []
    var isListed = [Bool](repeating: false, count: max(0, count))
    for listed in ranges {
      let first = listed.first.position(count: count)
      let last = listed.last.position(count: count)
      guard first >= 0, first < count, last >= 0, last < count else {
        throw Problem(
          "blocks-past-the-end", at: listed.range,
          "\(familyText)[\(listed.text)] reaches past the model's \(past(first, last, count)): "
            + extent(count),
          hint: count > 0 ? "leave blocks out or use a schedule made for \(count) blocks" : nil)
      }
      guard first <= last else {
        throw Problem(
          "backwards-range", at: listed.range,
          "\(familyText)[\(listed.text)] is empty: it begins at \(first) and ends at \(last)")
      }
      for index in first...last {
        guard !isListed[index] else {
          throw Problem(
            "block-listed-twice", at: listed.range,
            "\(familyText)[\(listed.text)] lists block \(index) again")
        }
        isListed[index] = true
        indices.append(index)
      }
    }
    return indices.sorted()
  }

  private func past(_ first: Int, _ last: Int, _ count: Int) -> String {
    let end = max(first, last) >= count ? "last" : "first"
    return family.map { "\(end) block of '\($0)'" } ?? "\(end) block"
  }

  private func extent(_ count: Int) -> String {
    switch count {
    case ...0: "it has none"
    case 1: "it has 1 block (0)"
    default: "it has \(count) blocks (0-\(count - 1))"
    }
  }
}

/// A set of blocks as written, its open ends still open.
public struct BlockSet: Hashable, Sendable {
  /// The terms; the set is their union.
  public var terms: [BlockTerm]

  /// The union of some terms.
  public init(terms: [BlockTerm]) {
    self.terms = terms
  }

  /// The set as the language writes it.
  public var text: String { terms.map(\.text).joined(separator: " + ") }

  /// The indices, ascending, among `count` blocks of a model with a single family.
  public func resolve(count: Int) throws(Problem) -> [Int] {
    try resolve(in: BlockLayout(blockCount: count))
  }

  /// The positions in execution order, ascending, that the set means in a model.
  public func resolve(in layout: BlockLayout) throws(Problem) -> [Int] {
    var positions: Set<Int> = []
    for term in terms {
      let members = try layout.positions(of: term)
      for index in try term.resolve(count: members.count) { positions.insert(members[index]) }
    }
    return positions.sorted()
  }
}

/// The blocks of a model as a schedule addresses them.
public struct BlockLayout: Hashable, Sendable {
  /// The family of every block, in execution order.
  public var families: [String]
  /// Other names of families, as the adapter gives them.
  public var aliases: [String: String]

  /// A layout from the family of every block in execution order.
  public init(families: [String], aliases: [String: String] = [:]) {
    self.families = families
    self.aliases = aliases
  }

  /// A layout of one family named `blocks`.
  public init(blockCount: Int) {
    self.init(families: [String](repeating: "blocks", count: max(0, blockCount)))
  }

  /// The number of blocks.
  public var blockCount: Int { families.count }

  /// The distinct families in order of their first block.
  public var familyNames: [String] {
    var seen: Set<String> = []
    return families.filter { seen.insert($0).inserted }
  }

  /// A block as reports name it: its index, after its family where there are several.
  func label(_ positions: ClosedRange<Int>) -> String {
    let names = familyNames
    let family = families[positions.lowerBound]
    var first = positions.lowerBound
    if names.count > 1 {
      first = families[..<positions.lowerBound].count { $0 == family }
    }
    let last = first + positions.count - 1
    let alias = aliases.filter { $0.value == family }.keys.min()
    let word = names.count > 1 ? alias ?? family : "block"
    return "\(word) \(first == last ? "\(first)" : "\(first)-\(last)")"
  }

  /// The positions of the blocks that a term counts.
  func positions(of term: BlockTerm) throws(Problem) -> [Int] {
    guard let family = term.family else { return Array(families.indices) }
    let name = aliases[family] ?? family
    let members = families.indices.filter { families[$0] == name }
    guard members.isEmpty else { return members }
    let known = familyNames
    let listed = known.map { "'\($0)'" }.joined(separator: ", ")
    throw Problem(
      "unknown-block-family", at: term.range,
      "the model has no block family '\(family)'"
        + (known.isEmpty ? ": it has no blocks" : "; its families are \(listed)"),
      hint: Suggestion.hint(for: family, among: known + aliases.keys.sorted())
        ?? "'blocks[…]' counts the blocks of all families in execution order")
  }
}
