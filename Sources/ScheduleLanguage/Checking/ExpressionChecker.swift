/// What a name stands for inside a rule.
enum Meaning {
  case expression(Expression)
  case list([Double])
  case site(Site)
  /// A slot, by the name it has in the rule that it ended up in.
  case slot(String)
}

/// Scalars and tensors.
enum ExpressionType: String {
  case boolean = "true or false"
  case number = "a number"
  case tensor = "a tensor"
  case tokens = "a choice of tokens"
}

/// The tensor slots of the rules above, by the names of the rules; nil for a rule that is wrong.
///
/// One for all rules of a schedule: a copy for each would take quadratic time.
final class HeldSlotNames {
  private(set) var byRule: [String: [String]?] = [:]

  func add(_ rule: CacheRule?, named name: String) {
    byRule.updateValue(rule?.reuse.localSlots.map(\.name), forKey: name)
  }
}

/// Looks up the names of expressions and checks their types.
struct ExpressionChecker {
  /// Thrown when an expression cannot be used; the problem is recorded already.
  struct Rejected: Error {}

  /// Whether scalar slots are read before or after the assignments that precede the decision.
  enum Phase { case before, after }

  let functions: [any FunctionPrimitive.Type]
  var meanings: [String: Meaning] = [:]
  /// Whether one of the rule's guards holds.
  var forced: Expression = .boolean(false)
  var slots: [Slot] = []
  var heldSlots = HeldSlotNames()
  var problems: [Problem] = []
  /// Resolves a site; records what is wrong with it.
  var resolveSite: (SiteSyntax, inout [Problem]) -> Site?

  init(
    functions: [any FunctionPrimitive.Type],
    resolveSite: @escaping (SiteSyntax, inout [Problem]) -> Site?
  ) {
    self.functions = functions
    self.resolveSite = resolveSite
  }

  static let words =
    [
      "progress", "elapsed", "forced", "input", "output", "true", "false",
    ] + Expression.SiteValue.ofAttention.map(\.rawValue)

  /// The expression, of a type that fits.
  mutating func check(
    _ syntax: ExpressionSyntax, _ phase: Phase, as types: ExpressionType...
  ) throws(Rejected) -> Expression {
    let result = try expression(syntax, phase)
    let type = self.type(of: result)
    guard types.contains(type) else {
      throw reject(
        "wrong-type", syntax.range,
        "\(types[0].rawValue) is needed here, but this is \(type.rawValue)")
    }
    return result
  }

  /// The meaning of any value: an expression, a list or a site.
  mutating func meaning(
    _ syntax: ExpressionSyntax, _ phase: Phase
  ) throws(Rejected) -> Meaning {
    switch syntax {
    case .list: return .list(try numbers(syntax))
    case .site(let site):
      guard let site = resolveSite(site, &problems) else { throw Rejected() }
      return .site(site)
    case .name(let name):
      if let meaning = meanings[name.text] {
        switch meaning {
        case .list, .site: return meaning
        case .expression, .slot: break
        }
      }
      if name.text == ReservedWords.stack { return .site(.stack) }
    default: break
    }
    return .expression(try expression(syntax, phase))
  }

  mutating func expression(
    _ syntax: ExpressionSyntax, _ phase: Phase
  ) throws(Rejected) -> Expression {
    let result = try unmeasured(syntax, phase)
    guard result.isWithinLimits else {
      throw reject(
        "expression-too-large", syntax.range,
        "the expression has more than \(Limits.expressionSize) parts, or is nested deeper than "
          + "\(Limits.expressionDepth), once names are filled in")
    }
    return result
  }

  private mutating func unmeasured(
    _ syntax: ExpressionSyntax, _ phase: Phase
  ) throws(Rejected) -> Expression {
    switch syntax {
    case .literal(let value, _): return value
    case .name(let name): return try value(of: name, phase)
    case .site(let site):
      throw reject(
        "not-a-value", site.range, "blocks are no number and no tensor",
        hint: "read a tensor there: 'residual(…)', 'input(…)' or 'output(…)'")
    case .list(_, let range): throw reject("not-a-value", range, "a list is no number")
    case .unary(.not, let operand, _):
      return .not(try checked(operand, phase, .boolean))
    case .unary(.minus, let operand, _):
      return 0 - (try numeric(operand, phase))
    case .binary(let operation, let left, let right):
      if operation == .or || operation == .and {
        return .binary(
          operation, try checked(left, phase, .boolean), try checked(right, phase, .boolean))
      }
      let a = try numeric(left, phase)
      let b = try numeric(right, phase)
      if operation.isComparison || operation == .modulo {
        for (value, place) in [(a, left), (b, right)] where type(of: value) == .tensor {
          throw reject(
            "wrong-type", place.range, "'\(operation.rawValue)' needs numbers, not a tensor",
            hint: "make a number of it: 'mean(…)', 'relative_l1(…)'")
        }
      }
      return .binary(operation, a, b)
    case .member(let value, let list):
      let numbers = try numbers(list)
      guard numbers.allSatisfy({ $0 == $0.rounded() && abs($0) < 1e9 }) else {
        throw reject("not-whole", list.range, "'in' takes a list of whole numbers")
      }
      return .member(try checked(value, phase, .number), of: numbers.map { Int($0) })
    case .conditional(let condition, let then, let other, let range):
      let test = try checked(condition, phase, .boolean)
      let (a, b) = (try expression(then, phase), try expression(other, phase))
      let types = (type(of: a), type(of: b))
      let isMixed = types.0 != types.1
      guard !isMixed || ![.boolean, .tokens].contains(where: { $0 == types.0 || $0 == types.1 })
      else {
        throw reject(
          "wrong-type", range,
          "'then' gives \(types.0.rawValue) and 'else' gives \(types.1.rawValue)")
      }
      if case .boolean(let known) = test { return known ? a : b }
      return .conditional(test, a, b)
    case .element(let name, let index, let range):
      guard case .list(let list)? = meanings[name.text] else {
        throw reject(
          "not-a-list", name.range, "'\(name.text)' is no list",
          hint: Suggestion.hint(for: name.text, among: meanings.keys.sorted()))
      }
      guard !list.isEmpty else { throw reject("empty-list", range, "the list is empty") }
      return .table(list, at: try checked(index, phase, .number))
    case .call(let name, let arguments, let range):
      return try call(name, arguments, range, phase)
    }
  }

  private mutating func value(
    of name: NameSyntax, _ phase: Phase
  ) throws(Rejected) -> Expression {
    if let meaning = meanings[name.text] {
      switch meaning {
      case .expression(let value): return value
      case .slot(let own):
        guard let slot = slots.first(where: { $0.name == own }) else { return .slot(own) }
        if !slot.isScalar { return .slot(own) }
        return phase == .after || slot.before != nil ? .updated(own) : .slot(own)
      case .list, .site:
        throw reject("not-a-value", name.range, "'\(name.text)' is no number and no tensor")
      }
    }
    if let control = Expression.Control(rawValue: name.text) { return .control(control) }
    if let tap = Tap.named[name.text] { return .tap(tap) }
    if let value = Expression.SiteValue(rawValue: name.text) { return .site(value) }
    switch name.text {
    case "progress": return .step / .steps
    case "elapsed": return .elapsed
    case "forced": return forced
    default:
      let known =
        meanings.keys.sorted() + Expression.Control.allCases.map(\.rawValue)
        + Tap.named.keys.sorted() + Self.words
      throw reject(
        "unknown-name", name.range, "nothing is named '\(name.text)' here",
        hint: Suggestion.hint(for: name.text, among: known))
    }
  }

  private mutating func checked(
    _ syntax: ExpressionSyntax, _ phase: Phase, _ expected: ExpressionType
  ) throws(Rejected) -> Expression {
    let value = try expression(syntax, phase)
    let type = type(of: value)
    guard type == expected else {
      throw reject(
        "wrong-type", syntax.range,
        "\(expected.rawValue) is needed here, but this is \(type.rawValue)")
    }
    return value
  }

  mutating func numeric(
    _ syntax: ExpressionSyntax, _ phase: Phase
  ) throws(Rejected) -> Expression {
    let value = try expression(syntax, phase)
    let type = type(of: value)
    guard type != .boolean, type != .tokens else {
      throw reject(
        "wrong-type", syntax.range, "a number or a tensor is needed, not \(type.rawValue)")
    }
    return value
  }

  /// Numbers in brackets, or the name of some.
  mutating func numbers(_ syntax: ExpressionSyntax) throws(Rejected) -> [Double] {
    if case .name(let name) = syntax, case .list(let list)? = meanings[name.text] { return list }
    guard case .list(let elements, _) = syntax else {
      throw reject("not-a-list", syntax.range, "a list in brackets is needed here")
    }
    var result: [Double] = []
    for element in elements {
      guard case .literal(let value, _) = element,
        let number = (try? value.value(in: EvaluationContext()))?.real
      else { throw reject("not-a-number", element.range, "a list holds plain numbers") }
      result.append(number)
    }
    return result
  }

  mutating func reject(
    _ code: String, _ range: SourceRange, _ message: String, hint: String? = nil
  ) -> Rejected {
    problems.append(Problem(code, at: range, message, hint: hint))
    return Rejected()
  }

  /// The type of an expression whose parts fit together.
  func type(of expression: Expression) -> ExpressionType {
    switch expression {
    case .boolean, .not, .member, .control(.valid): .boolean
    case .integer, .number, .control, .updated, .parameter, .table: .number
    case .site, .tap, .body, .held: .tensor
    case .slot(let name):
      slots.first { $0.name == name }?.isScalar ?? false ? .number : .tensor
    case .binary(let operation, let left, let right):
      operation == .or || operation == .and || operation.isComparison
        ? .boolean
        : [type(of: left), type(of: right)].contains(.tensor) ? .tensor : .number
    case .conditional(_, let then, let other):
      type(of: then) == .tensor ? .tensor : type(of: other)
    case .call(let function, _) where function.isChoice: .tokens
    case .call(let function, let operands):
      function.isReduction
        ? .number : operands.contains { type(of: $0) == .tensor } ? .tensor : .number
    }
  }
}

extension Expression {
  /// Whether the expression stays within the limits of size and depth; counts without recursion.
  var isWithinLimits: Bool {
    var count = 0
    var pending = [(part: self, depth: 1)]
    while let (part, depth) = pending.popLast() {
      count += 1
      guard count <= Limits.expressionSize, depth <= Limits.expressionDepth else { return false }
      pending += part.operands.map { ($0, depth + 1) }
    }
    return true
  }
}
