import TestSupport

/// Makes random files without errors, as lists of tokens: schedules, rules, imports, adapters, with
/// expressions of every kind.
struct ScheduleGenerator {
  private(set) var random: SplitMix
  private var tokens: [String] = []
  private var numbers: [String] = []
  private var tensors: [String] = []
  private var budget = 0

  init(seed: UInt64) { random = SplitMix(seed: seed) }

  /// The tokens of a file.
  mutating func file() -> [String] {
    tokens = []
    let imports = random.chance(3)
    if imports { add("import", "\"rules/first.dcs\"") }
    for number in 0..<random.int(0..<3) { rule(number) }
    if random.chance(3) { adapter() }
    schedule(imports: imports)
    return tokens
  }

  /// A text that a file's tokens may come in: any blanks, line breaks and comments between them.
  mutating func text(of tokens: [String]) -> String {
    var text = ""
    for token in tokens { text += separator() + token }
    return text + separator()
  }

  private mutating func separator() -> String {
    switch random.int(0..<12) {
    case 0: "\n"
    case 1: "\n\n\n"
    case 2: "\t  "
    case 3: " # \(random.int(0..<1000)): ünï \"code\" { [ (\n"
    case 4: "\n#\(random.int(0..<1000))\n  # and more \n\n"
    default: " "
    }
  }

  private mutating func add(_ words: String...) { tokens += words }

  private mutating func pick(_ words: [String]) -> String { random.pick(words) ?? "" }

  // MARK: - Items

  private mutating func adapter() {
    add("adapter", "tiny", "{", "latents", "x", "timestep", "t", "text")
    add("words", ",", "\"onnx::x.\(random.int(0..<9))\"", "shift", "3.0")
    if random.chance(2) { add("alias", "dual", "\"model.blocks\"") }
    add("}")
  }

  private mutating func rule(_ number: Int) {
    add("rule", "rule_\(number)", "(", "of", ",", "limit", "in", "0", "to", "100", "=", "0.5", ",")
    add("width", "of", "steps", "=", "3", ")", "{")
    scope(numbers: ["limit", "width"], tensors: ["of"])
    statements()
    add("compute", "unless")
    boolean(3)
    add("}")
  }

  private mutating func schedule(imports: Bool) {
    add("schedule", pick(["every-2", "a_b", "x1"]), "for", pick(["any", "wan"]), "{")
    var statements: [(inout Self) -> Void] = [
      { $0.add("steps", "24") }, { $0.add("min_steps", "12") },
      {
        $0.add("branches"); $0.tokens += $0.branches()
      },
      {
        $0.add("parameter", "bound", "in", "0", "to", "10", "of", "relative_l1", "=", $0.number())
      },
      { $0.add("let", "table", "=", "[", "1.5", ",", "-", "2", ",", "3e-2", "]") },
      { $0.add("let", "some", "=", "blocks", "[", "30", "-", "33", ",", "40", "]") },
    ]
    statements.shuffle(using: &random)
    for statement in statements.prefix(random.int(0..<7)) { statement(&self) }
    let known = tokens
    for block in 0..<random.int(1..<4) { cache(block * 4, known, imports: imports) }
    add("}")
  }

  private mutating func branches() -> [String] {
    random.pick([["separate"], ["follow", "cond"], ["drop", "cond", "from", "7"]]) ?? []
  }

  private mutating func cache(_ block: Int, _ known: [String], imports: Bool) {
    add("cache")
    let ranges: [[String]] = [
      ["\(block)"], ["\(block)", "-", "\(block + 2)"], ["\(block)", ",", "\(block + 2)"],
    ]
    if random.chance(3) {
      add(pick(["self_attention", "cross_attention", "mlp", "parallel"]), "of")
    }
    add("blocks", "[")
    tokens += random.pick(ranges) ?? []
    add("]")
    if tokens.suffix(8).contains("of"), random.chance(2) {
      add(pick(["before", "after"]), "gate")
    }
    if random.chance(2) { add("as", "site_\(block)") }
    add("{")
    var names: [String] = []
    if let place = known.firstIndex(of: "parameter") { names.append(known[place + 1]) }
    scope(numbers: names, tensors: [])
    reuse()
    if random.chance(3) { add("warmup_steps", "2") }
    if random.chance(3) { add("max_continuous_cached_steps", "4") }
    statements()
    if random.chance(4) {
      add("refresh", "every", "3")
    } else if random.chance(4) {
      add("refresh", "at", "[", "3", ",", "7", ",", "11", "]")
    } else if let rule = random.pick(known.filter { $0.hasPrefix("rule_") }) {
      add("use", rule, "(", "of", ":")
      tensor(1)
      if random.chance(2) { add(",", "limit", ":", number()) }
      add(")")
    } else if imports, random.chance(2) {
      add("use", "imported", "(", "n", ":")
      numeral(1)
      add(")")
    } else {
      add("compute", pick(["unless", "when"]))
      boolean(4)
    }
    if random.chance(4) {
      add("report")
      numeral(2)
    }
    add("}")
  }

  private mutating func reuse() {
    tokens +=
      random.pick([
        ["keep", "delta"], ["keep", "delta", "as", "bfloat16"], ["keep", "accumulated_delta"],
        ["keep", "output"], ["keep", "output", "forecast", "taylor", "order", "2", "from", "3"],
        ["keep", "delta", "forecast", "hermite", "order", "1", "scale", "0.5"],
        ["keep", "output", "forecast", "linear", "weight", "-", "0.5"],
      ]) ?? []
  }

  // MARK: - Statements and expressions

  private mutating func scope(numbers: [String], tensors: [String]) {
    self.numbers = numbers + ["step", "steps", "progress", "elapsed", "cached_steps"]
    self.tensors =
      tensors + ["latents", "timestep_embedding", "residual ( blocks [ 60 ] )"]
  }

  private mutating func statements() {
    budget = 30
    let prefix = "s\(random.int(0..<100))_"
    for index in 0..<random.int(0..<4) {
      let name = prefix + "\(index)"
      switch random.int(0..<3) {
      case 0:
        add("let", name, "=")
        numeral(3)
      case 1:
        add("slot", name, "=", number(), name, ":=")
        numeral(2)
        if random.chance(2) { add(",", "then", number(), "when", "computed") }
      default:
        add("slot", name, "=", "1", name, ":=")
        numeral(2)
        add("when", pick(["computed", "reused"]))
      }
      numbers.append(name)
    }
  }

  private mutating func number() -> String {
    pick(["0", "1", "7", "0.25", "2.5e-1", "1e1", "3.0"])
  }

  private mutating func numeral(_ depth: Int) {
    budget -= 1
    guard depth > 0, budget > 0 else { return add(random.chance(2) ? number() : pick(numbers)) }
    switch random.int(0..<10) {
    case 0, 1:
      add("(")
      numeral(depth - 1)
      add(pick(["+", "-", "*", "/", "mod"]))
      numeral(depth - 1)
      add(")")
    case 2:
      numeral(depth - 1)
      add(pick(["+", "-", "*"]))
      numeral(depth - 1)
    case 3:
      add("(", "-")
      numeral(depth - 1)
      add(")")
    case 4:
      add("(", "if")
      boolean(depth - 1)
      add("then")
      numeral(depth - 1)
      add("else")
      numeral(depth - 1)
      add(")")
    case 5:
      add(pick(["abs", "round", "floor", "ceil", "sqrt", "exp", "log"]), "(")
      numeral(depth - 1)
      add(")")
    case 6:
      add(pick(["min", "max"]), "(")
      numeral(depth - 1)
      add(",")
      numeral(depth - 1)
      add(")")
    case 7:
      add(pick(["relative_l1", "l1", "cosine_distance"]), "(")
      tensor(1)
      add(",", "since", ":", pick(["last_call", "last_computed"]), ")")
    case 8:
      add("poly", "(")
      numeral(depth - 1)
      add(",", "[", "1", ",", "-", "2.5", ",", number(), "]", ")")
    default:
      add(pick(["mean", "sum", "largest"]), "(")
      tensor(depth - 1)
      add(")")
    }
  }

  private mutating func tensor(_ depth: Int) {
    guard depth > 0, random.chance(2) else {
      tokens += pick(tensors).split(separator: " ").map(String.init)
      return
    }
    if random.chance(2) {
      add(pick(["downsample", "drop_first", "drop_last"]), "(")
      tensor(depth - 1)
      add(",", "2", ")")
    } else {
      add("abs", "(")
      tensor(depth - 1)
      add(")")
    }
  }

  private mutating func boolean(_ depth: Int) {
    budget -= 1
    guard depth > 0, budget > 0 else { return add("step", "<", "4") }
    switch random.int(0..<6) {
    case 0, 1:
      add("(")
      boolean(depth - 1)
      add(pick(["and", "or"]))
      boolean(depth - 1)
      add(")")
    case 2:
      add("not", "(")
      boolean(depth - 1)
      add(")")
    case 3: add("step", "in", "[", "1", ",", "5", "]")
    default:
      numeral(depth - 1)
      add(pick(["<", "<=", ">", ">=", "==", "!="]))
      numeral(depth - 1)
    }
  }
}
