extension Parser {
  /// Terms joined by `+`, or a part of them.
  ///
  /// Inside of an expression there is one term, and a `+` after it adds numbers.
  mutating func site(inside isOperand: Bool = false) throws(Abandoned) -> SiteSyntax {
    let start = index
    var parts: [Site.Part] = []
    while let word = current.word, let part = Site.Part(rawValue: word) {
      if parts.contains(part) {
        problems.append(
          Problem("name-listed-twice", at: current.range, "'\(word)' is listed twice"))
      }
      parts.append(part)
      advance()
      if accept(.plus) { continue }
      try expectWord("of", "or '+' after '\(word)'")
    }
    var terms = [try siteTerm()]
    while !isOperand, accept(.plus) { terms.append(try siteTerm()) }
    var result = SiteSyntax(parts: parts, terms: terms, range: range(from: start))
    if !parts.isEmpty, current.word == "before" || current.word == "after" {
      let word = current.word ?? ""
      advance()
      try expectWord("gate", "after '\(word)'")
      result.cut = word == "before" ? .beforeGate : .afterGate
      result.range = range(from: start)
    }
    return result
  }

  private mutating func siteTerm() throws(Abandoned) -> SiteTermSyntax {
    let start = index
    let name = try name(
      "'stack', the name of a block set, or blocks such as 'blocks[0-3]'", allowingQuotes: true)
    guard accept(.openBracket, tight: true) else { return .name(name) }
    if accept(.closeBracket) {
      problems.append(
        Problem(
          "empty-list", at: range(from: start), "'\(name.text)[]' lists no block",
          hint: "'\(name.text)[0..]' means all of them"))
      throw Abandoned()
    }
    var ranges = [try blockRange()]
    while accept(.comma) { ranges.append(try blockRange()) }
    guard accept(.closeBracket) else {
      throw unexpected("',' or ']' in the list of blocks", hint: rangeHint)
    }
    reportOverlaps(ranges, of: name.text)
    return .blocks(
      BlockTerm(
        family: name.text == ReservedWords.blocks ? nil : name.text, ranges: ranges,
        range: range(from: start)))
  }

  private var rangeHint: String? {
    switch current.kind {
    case .integer, .mark(.toEnd), .mark(.less), .mark(.minus), .mark(.dot), .mark(.colon):
      "a range is '2-7' (both ends included), '10..', '1..-2' or '-3..'"
    default: nil
    }
  }

  /// One of the forms `4`, `2-7`, `10..`, `-1` and `-3..`.
  private mutating func blockRange() throws(Abandoned) -> BlockRange {
    let start = index
    if accept(.minus) {
      let distance = try blockNumber(tight: true)
      guard distance > 0 else {
        problems.append(
          Problem(
            "backwards-range", at: range(from: start), "blocks from the end count from -1",
            hint: "the last block is -1, the first one is 0"))
        throw Abandoned()
      }
      let isOpen = accept(.toEnd, tight: true)
      return BlockRange(
        first: .fromEnd(distance), last: .fromEnd(isOpen ? 1 : distance),
        range: range(from: start))
    }
    let first = try blockNumber()
    if accept(.toEnd, tight: true) {
      let isShort = !current.isFirstOnLine && accept(.minus, tight: true)
      let last = isShort ? try blockNumber(tight: true) : 1
      guard last > 0 else {
        problems.append(
          Problem(
            "backwards-range", at: range(from: start), "blocks from the end count from -1",
            hint: "the last block is -1"))
        throw Abandoned()
      }
      return BlockRange(
        first: .fromStart(first), last: .fromEnd(last), range: range(from: start))
    }
    guard accept(.minus, tight: true) else {
      return BlockRange(
        first: .fromStart(first), last: .fromStart(first), range: range(from: start))
    }
    let last = try blockNumber(tight: true)
    if first > last {
      problems.append(
        Problem(
          "backwards-range", at: range(from: start), "the range \(first)-\(last) runs backwards",
          hint: "did you mean '\(last)-\(first)'?"))
      throw Abandoned()
    }
    return BlockRange(
      first: .fromStart(first), last: .fromStart(last), range: range(from: start))
  }

  private mutating func blockNumber(tight: Bool = false) throws(Abandoned) -> Int {
    guard case .integer(let number) = current.kind else {
      throw unexpected("the number of a block", hint: rangeHint)
    }
    guard number <= Limits.blockIndex else {
      problems.append(
        Problem(
          "number-out-of-range", at: current.range,
          "block \(number) is past the limit of \(Limits.blockIndex)"))
      throw Abandoned()
    }
    advance(tight: tight)
    return number
  }

  /// Reports the blocks that a list names twice, as far as that can be seen without a model.
  private mutating func reportOverlaps(_ ranges: [BlockRange], of family: String) {
    let spans = ranges.compactMap { listed -> (first: Int, last: Int, range: SourceRange)? in
      guard case .fromStart(let first) = listed.first else { return nil }
      guard case .fromStart(let last) = listed.last else { return (first, .max, listed.range) }
      return (first, last, listed.range)
    }
    let sorted = spans.sorted { ($0.first, $0.range.start) < ($1.first, $1.range.start) }
    var reach: (last: Int, range: SourceRange)?
    for span in sorted {
      if let known = reach, span.first <= known.last {
        let later = span.range.start > known.range.start ? span.range : known.range
        problems.append(
          Problem(
            "block-listed-twice", at: later, "'\(family)' lists block \(span.first) twice"))
      }
      if span.last >= reach?.last ?? -1 { reach = (span.last, span.range) }
    }
  }
}
