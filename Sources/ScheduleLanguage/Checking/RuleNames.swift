/// The names of a schedule's rules: those the text gives, and for the rest names made from the sites.
struct RuleNames {
  /// One name a rule.
  let names: [String]
  /// Names that stand twice.
  let problems: [Problem]

  init(of caches: [CacheSyntax], source: SourceFile) {
    var problems: [Problem] = []
    var taken: [String: SourceRange] = [:]
    for name in caches.compactMap(\.name) {
      if let first = taken[name.text] {
        let line = source.position(of: first.start).line
        problems.append(
          Problem(
            "name-defined-twice", at: name.range,
            "a rule named '\(name.text)' stands in line \(line) already"))
      }
      taken[name.text] = name.range
    }
    var counts: [String: Int] = [:]
    names = caches.map { cache in
      if let name = cache.name { return name.text }
      let base = Self.derived(cache.site)
      var candidate = base
      while taken[candidate] != nil {
        let count = counts[base, default: 1] + 1
        counts[base] = count
        candidate = "\(base)-\(count)"
      }
      taken[candidate] = cache.site.range
      return candidate
    }
    self.problems = problems
  }

  /// A name from the words of a site: `background`, `dual`, `dual-and-single`.
  private static func derived(_ site: SiteSyntax) -> String {
    var seen: Set<String> = []
    let words = site.terms.map { term in
      switch term {
      case .name(let name): name.text
      case .blocks(let blocks): blocks.familyText
      }
    }
    let parts = site.parts.map { $0.rawValue + "-" }.joined(separator: "and-")
    let blocks = words.filter { seen.insert($0).inserted }.prefix(4).joined(separator: "-and-")
    let joined = parts.isEmpty ? blocks : "\(parts)of-\(blocks)"
    return String(
      joined.map { character in
        let isPlain =
          character.isASCII && (character.isLetter || character.isNumber || character == "_")
        return isPlain ? character : "-"
      })
  }
}
