/// Finds the sites that terms and names of a schedule mean.
struct SiteChecker {
  private let source: SourceFile
  private(set) var problems: [Problem] = []
  private var bindings: [String: (site: Site?, range: SourceRange)] = [:]
  /// The block terms of the whole file so far.
  private var termCount = 0

  init(source: SourceFile) {
    self.source = source
  }

  /// The names of the schedule with the sites that they mean.
  var meanings: [String: Meaning] {
    bindings.compactMapValues { binding in binding.site.map { .site($0) } }
  }

  /// Begins another schedule of the file: its names are its own.
  mutating func begin() { bindings = [:] }

  /// Hands over what was found wrong since the last time.
  mutating func takeProblems() -> [Problem] {
    defer { problems = [] }
    return problems
  }

  /// Gives a site a name.
  mutating func bind(_ name: NameSyntax, to value: Site?) {
    let reserved = [
      ReservedWords.stack, ReservedWords.blocks, ReservedWords.output, ReservedWords.uncond,
    ]
    if reserved.contains(name.text) {
      problems.append(
        Problem("reserved-word", at: name.range, "'\(name.text)' has a meaning of its own"))
    } else if let first = bindings[name.text] {
      let line = source.position(of: first.range.start).line
      problems.append(
        Problem(
          "name-defined-twice", at: name.range,
          "'\(name.text)' is defined already, in line \(line)"))
    } else {
      bindings[name.text] = (value, name.range)
    }
  }

  /// The site that some terms mean; nil if any of them is wrong.
  mutating func site(_ syntax: SiteSyntax) -> Site? {
    guard let whole = blocks(syntax) else { return nil }
    guard let part = syntax.parts.first else { return whole }
    switch whole {
    case .blocks(let set): return .modules(syntax.parts, of: set, syntax.cut)
    case .stack:
      let all = BlockTerm(ranges: [BlockRange(first: .fromStart(0), last: .fromEnd(1))])
      return .modules(syntax.parts, of: BlockSet(terms: [all]), syntax.cut)
    case .output, .uncond, .modules:
      problems.append(
        Problem(
          "not-blocks", at: syntax.range, "'\(part.rawValue) of' takes blocks",
          hint: "write '\(part.rawValue) of blocks[0..]'"))
      return nil
    }
  }

  private mutating func blocks(_ syntax: SiteSyntax) -> Site? {
    var terms: [BlockTerm] = []
    for term in syntax.terms {
      switch term {
      case .blocks(let blocks): terms.append(blocks)
      case .name(let name):
        switch site(named: name) {
        case .blocks(let set)?: terms += set.terms
        case .stack?:
          guard syntax.terms.count == 1 else {
            problems.append(
              Problem(
                "stack-in-a-sum", at: name.range,
                "'stack' is all blocks already and cannot be added to others"))
            return nil
          }
          return .stack
        case .output?, .uncond?, .modules?:
          guard syntax.terms.count == 1, let site = self.site(named: name) else {
            problems.append(
              Problem(
                "not-blocks", at: name.range, "only blocks can be added to blocks"))
            return nil
          }
          return site
        case nil: return nil
        }
      }
    }
    termCount += terms.count
    guard termCount <= Limits.termCount else {
      if termCount - terms.count <= Limits.termCount {
        problems.append(
          Problem(
            "too-many-terms", at: syntax.range,
            "the block sets of the file have more than \(Limits.termCount) terms"))
      }
      return nil
    }
    return .blocks(BlockSet(terms: terms))
  }

  private mutating func site(named name: NameSyntax) -> Site? {
    if name.text == ReservedWords.stack { return .stack }
    if name.text == ReservedWords.output { return .output }
    if name.text == ReservedWords.uncond { return .uncond }
    if let binding = bindings[name.text] { return binding.site }
    let known =
      bindings.keys.sorted() + [ReservedWords.stack, ReservedWords.output, ReservedWords.uncond]
    problems.append(
      Problem(
        "unknown-block-set", at: name.range, "no block set is named '\(name.text)' above",
        hint: Suggestion.hint(for: name.text, among: known)
          ?? "a block family takes its blocks in brackets: '\(name.text)[0..]'"))
    return nil
  }
}
