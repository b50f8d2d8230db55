extension Parser {
  /// A clause of one of some kinds, told apart by its keyword.
  ///
  /// - Parameters:
  ///   - descriptors: The kinds that may stand here.
  ///   - place: What the clause stands in, with its article.
  ///   - others: Words that may begin other statements here, for suggestions.
  /// - Returns: The clause with its arguments checked against their ranges.
  /// - Throws: `Abandoned` if the clause cannot be read.
  mutating func clause(
    _ descriptors: [ClauseDescriptor], in place: String, beside others: [String] = []
  ) throws(Abandoned) -> Clause {
    let start = index
    let descriptor = try keyword(descriptors, in: place, beside: others)
    var arguments: [String: Argument] = [:]
    for parameter in descriptor.parameters {
      if let label = parameter.label {
        guard current.word == label else {
          if let value = parameter.defaultValue {
            arguments[parameter.name] = Argument(value, range: range(from: start))
          }
          continue
        }
        advance()
      }
      arguments[parameter.name] = try argument(parameter, of: descriptor)
    }
    return Clause(
      keyword: descriptor.keyword, arguments: arguments, range: range(from: start),
      text: text(from: start))
  }

  private mutating func keyword(
    _ descriptors: [ClauseDescriptor], in place: String, beside others: [String]
  ) throws(Abandoned) -> ClauseDescriptor {
    guard let first = current.word else {
      let words = descriptors.prefix(2).map { "'\($0.keyword)'" }.joined(separator: " or ")
      throw unexpected("a statement of \(place) such as \(words)")
    }
    var candidates = descriptors.filter { $0.words.first == first }
    guard !candidates.isEmpty else {
      problems.append(
        Problem(
          "unknown-word", at: current.range, "\(place) has no '\(first)'",
          hint: hint(for: first, descriptors, others)))
      throw Abandoned()
    }
    advance()
    var depth = 1
    while true {
      let longer = candidates.filter { $0.words.count > depth }
      let matching = longer.filter { $0.words[depth] == current.word }
      if !matching.isEmpty {
        candidates = matching
        advance()
        depth += 1
        continue
      }
      if let exact = candidates.first(where: { $0.words.count == depth }) { return exact }
      let begun = longer.first?.words.prefix(depth).joined(separator: " ") ?? first
      let continuations = longer.map { $0.words[depth] }
      throw unexpected(
        "\(Self.alternatives(continuations)) after '\(begun)'",
        hint: current.word.flatMap { Suggestion.nearest(to: $0, among: continuations) }
          .map { "did you mean '\(begun) \($0)'?" })
    }
  }

  private func hint(
    for word: String, _ descriptors: [ClauseDescriptor], _ others: [String]
  ) -> String? {
    if let known = descriptors.first(where: { $0.synonyms.contains(word) }) {
      return "other tools' '\(word)' is '\(known.keyword)' here"
    }
    let words = descriptors.compactMap(\.words.first) + others
    return Suggestion.hint(for: word, among: words)
      ?? "it may hold \(Self.alternatives(descriptors.map(\.keyword) + others, joint: "and"))"
  }

  private static func alternatives(_ words: [String], joint: String = "or") -> String {
    var seen: Set<String> = []
    let quoted = words.filter { seen.insert($0).inserted }.map { "'\($0)'" }
    guard let last = quoted.last, quoted.count > 1 else { return quoted.first ?? "nothing" }
    return quoted.dropLast().joined(separator: ", ") + " \(joint) " + last
  }

  // MARK: - Arguments

  private mutating func argument(
    _ parameter: ParameterDescriptor, of descriptor: ClauseDescriptor
  ) throws(Abandoned) -> Argument {
    let keyword = descriptor.keyword
    switch parameter.kind {
    case .integer(let range):
      let (value, place) = try integer(keyword, range, parameter.unit)
      return Argument(.integer(value), range: place)
    case .stepCount(let range):
      let (value, place) = try integer(keyword, range, parameter.unit)
      return Argument(.stepCount(value), range: place)
    case .number(let range): return try number(keyword, range, parameter.unit)
    case .steps: return try steps(keyword)
    case .word(let words):
      guard let word = current.word, words.contains(word) else {
        throw unexpected(
          "\(Self.alternatives(words)) after '\(parameter.label ?? keyword)'",
          hint: current.word.flatMap { Suggestion.hint(for: $0, among: words) })
      }
      return Argument(.word(word), range: advance().range)
    case .name:
      let name = try name("\(parameter.summary) after '\(keyword)'", allowingQuotes: true)
      return Argument(.name(name.text), range: name.range)
    case .names: return try names(keyword)
    }
  }

  private mutating func integer(
    _ keyword: String, _ range: ClosedRange<Int>, _ unit: String?
  ) throws(Abandoned) -> (Int, SourceRange) {
    let extent = "\(range.lowerBound) to \(range.upperBound)" + (unit.map { " \($0)" } ?? "")
    guard case .integer(let value) = current.kind else {
      throw unexpected("a whole number, \(extent), after '\(keyword)'")
    }
    if !range.contains(value) {
      problems.append(
        Problem(
          "number-out-of-range", at: current.range, "'\(keyword)' takes \(extent), not \(value)"))
    }
    return (value, advance().range)
  }

  private mutating func number(
    _ keyword: String, _ range: ClosedRange<Double>, _ unit: String?
  ) throws(Abandoned) -> Argument {
    let extent = "\(range.lowerBound) to \(range.upperBound)" + (unit.map { " \($0)" } ?? "")
    let start = index
    let isNegative = range.lowerBound < 0 && accept(.minus)
    let magnitude: Double
    switch current.kind {
    case .integer(let value): magnitude = Double(value)
    case .number(let value): magnitude = value
    default: throw unexpected("a number, \(extent), after '\(keyword)'")
    }
    advance(tight: isNegative)
    let value = isNegative ? -magnitude : magnitude
    if !range.contains(value) {
      problems.append(
        Problem(
          "number-out-of-range", at: self.range(from: start),
          "'\(keyword)' takes \(extent), not \(value)"))
    }
    return Argument(.number(value), range: self.range(from: start))
  }

  private mutating func steps(_ keyword: String) throws(Abandoned) -> Argument {
    let start = index
    try expect(.openBracket, "and a list of steps after '\(keyword)'")
    if accept(.closeBracket) {
      problems.append(
        Problem("empty-list", at: range(from: start), "'\(keyword)' lists no step"))
      throw Abandoned()
    }
    var steps: [Int] = []
    var elements: [SourceRange] = []
    var seen: Set<Int> = []
    repeat {
      guard case .integer(let step) = current.kind else { throw unexpected("the number of a step") }
      if step >= Limits.stepCount {
        problems.append(
          Problem(
            "number-out-of-range", at: current.range,
            "step \(step) is past the limit of \(Limits.stepCount) steps"))
      } else if !seen.insert(step).inserted {
        problems.append(
          Problem("step-listed-twice", at: current.range, "step \(step) is listed twice"))
      } else {
        steps.append(step)
        elements.append(current.range)
      }
      advance()
    } while accept(.comma)
    try expect(.closeBracket, "or ',' after a step")
    return Argument(.steps(steps), range: range(from: start), elements: elements)
  }

  private mutating func names(_ keyword: String) throws(Abandoned) -> Argument {
    let start = index
    var names: [String] = []
    var elements: [SourceRange] = []
    var seen: Set<String> = []
    repeat {
      let name = try name("a name after '\(keyword)'", allowingQuotes: true)
      if !seen.insert(name.text).inserted {
        problems.append(
          Problem("name-listed-twice", at: name.range, "'\(name.text)' is listed twice"))
      }
      names.append(name.text)
      elements.append(name.range)
    } while accept(.comma)
    return Argument(.names(names), range: range(from: start), elements: elements)
  }
}
