/// Turns a parsed adapter into a typed one.
struct AdapterChecker {
  private let source: SourceFile
  private(set) var problems: [Problem] = []

  init(source: SourceFile) {
    self.source = source
  }

  /// The typed adapter; nil, with problems added, if it lacks what an adapter must say.
  mutating func check(_ syntax: AdapterSyntax) -> AdapterDescription? {
    let clauses = RuleContext(clauses: syntax.clauses)
    checkRepetition(syntax.clauses)
    for descriptor in FixedClauses.adapter
    where syntax.isComplete && descriptor.isRequired && clauses.clause(descriptor.keyword) == nil {
      problems.append(
        Problem(
          "missing-clause", at: syntax.name.range,
          "adapter '\(syntax.name.text)' does not say its '\(descriptor.keyword)'",
          hint: "add '\(descriptor.signature)'"))
    }
    if syntax.name.text == ReservedWords.any {
      problems.append(
        Problem("reserved-word", at: syntax.name.range, "'any' cannot name an adapter"))
    }
    checkInputs(syntax.clauses)
    let aliases = aliases(syntax.clauses)
    guard let latentsClause = clauses.clause("latents"),
      let latents = latentsClause.word("input"),
      let timestep = clauses.clause("timestep"), let timestepInput = timestep.word("input"),
      let guidance = guidance(syntax.clauses)
    else { return nil }
    return AdapterDescription(
      name: syntax.name.text, latents: latents,
      latentsRank: latentsClause.integer("rank").flatMap { $0 > 0 ? $0 : nil },
      timestep: timestepInput,
      timestepMultiplier: timestep.number("multiplier") ?? 1000,
      text: clauses.clause("text")?.names("inputs") ?? [],
      masks: clauses.clause("mask")?.names("inputs") ?? [],
      pooled: clauses.clause("pooled")?.names("inputs") ?? [],
      promptTable: clauses.clause("prompt_table")?.word("name"),
      classLabel: clauses.clause("class").flatMap { clause in
        guard let input = clause.word("input"), let none = clause.integer("none") else {
          return nil
        }
        return AdapterDescription.ClassLabel(input: input, none: none)
      },
      extras: clauses.clause("extra")?.names("inputs") ?? [], guidance: guidance,
      guidanceScale: clauses.clause("guidance_scale")?.number("scale"),
      scheduler: clauses.clause("scheduler")?.word("name"),
      shift: clauses.clause("shift")?.number("shift") ?? 1,
      steps: clauses.clause("steps")?.integer("count"), aliases: aliases,
      families: clauses.clause("families")?.names("families") ?? [],
      nameRange: syntax.name.range, source: source)
  }

  private mutating func guidance(_ clauses: [Clause]) -> AdapterDescription.Guidance? {
    let found = clauses.filter { $0.keyword.hasPrefix("guidance ") }
    guard let clause = found.first else { return AdapterDescription.Guidance.none }
    if found.count > 1, found[1].keyword != clause.keyword {
      problems.append(
        Problem(
          "clause-twice", at: found[1].range, "the adapter has '\(clause.keyword)' already"))
    }
    switch clause.keyword {
    case "guidance batched": return .batched
    case "guidance sequential": return .sequential
    case "guidance embedded":
      guard let input = clause.word("input") else {
        problems.append(
          Problem(
            "missing-input", at: clause.range,
            "'guidance embedded' does not say which input takes the scale",
            hint: "write 'guidance embedded in INPUT'"))
        return nil
      }
      return .embedded(input: input, multiplier: clause.number("multiplier") ?? 1)
    default: return AdapterDescription.Guidance.none
    }
  }

  private mutating func aliases(_ clauses: [Clause]) -> [String: String] {
    var aliases: [String: String] = [:]
    for clause in clauses where clause.keyword == "alias" {
      guard let alias = clause.word("alias"), let family = clause.word("family") else { continue }
      let range = clause.arguments["alias"]?.range ?? clause.range
      if alias == ReservedWords.blocks || alias == ReservedWords.stack {
        problems.append(
          Problem("reserved-word", at: range, "'\(alias)' has a meaning of its own"))
      } else if let earlier = aliases[alias] {
        problems.append(
          Problem("name-defined-twice", at: range, "'\(alias)' is an alias of '\(earlier)' already")
        )
      } else {
        aliases[alias] = family
      }
    }
    return aliases
  }

  /// Reports inputs that have two roles.
  private mutating func checkInputs(_ clauses: [Clause]) {
    var roles: [String: String] = [:]
    for clause in clauses {
      let inputs: [(String, SourceRange)]
      if let argument = clause.arguments["input"], case .name(let name) = argument.value {
        inputs = [(name, argument.range)]
      } else if let argument = clause.arguments["inputs"], case .names(let names) = argument.value {
        inputs = Array(zip(names, argument.elements))
      } else {
        continue
      }
      for (input, range) in inputs {
        if let role = roles[input], role != clause.keyword {
          problems.append(
            Problem("two-roles", at: range, "the input '\(input)' is '\(role)' already"))
        }
        roles[input] = clause.keyword
      }
    }
  }

  private mutating func checkRepetition(_ clauses: [Clause]) {
    let repeatable = Set(FixedClauses.adapter.filter(\.isRepeatable).map(\.keyword))
    var seen: Set<String> = []
    for clause in clauses where !repeatable.contains(clause.keyword) {
      if !seen.insert(clause.keyword).inserted {
        problems.append(
          Problem("clause-twice", at: clause.range, "the adapter has '\(clause.keyword)' already"))
      }
    }
  }
}
