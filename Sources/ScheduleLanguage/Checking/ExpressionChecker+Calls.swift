extension ExpressionChecker {
  private static let since = "since"
  private static let body = "body"
  private static let held = "held"

  /// A tap, a built-in function or a function of the vocabulary.
  mutating func call(
    _ name: NameSyntax, _ arguments: [CallArgumentSyntax], _ range: SourceRange, _ phase: Phase
  ) throws(Rejected) -> Expression {
    if let place = Tap.Place(rawValue: name.text) {
      return try tap(place, arguments, range)
    }
    if let function = Expression.Function(rawValue: name.text) {
      return try builtIn(function, arguments, range, phase)
    }
    if name.text == Self.body {
      guard arguments.count == 1 else {
        throw reject(
          "wrong-count", range, "'body' takes one tensor, not \(arguments.count) operands")
      }
      return .body(try operand(.tensor, arguments[0].value, of: Self.body, phase))
    }
    if name.text == Self.held { return try held(arguments, range) }
    if name.text == "clip" {
      guard arguments.count == 3 else {
        throw reject("wrong-count", range, "'clip' takes a value, a lowest and a highest one")
      }
      let value = try numeric(arguments[0].value, phase)
      let low = try numeric(arguments[1].value, phase)
      let high = try numeric(arguments[2].value, phase)
      return .call(.min, [.call(.max, [value, low]), high])
    }
    guard let primitive = functions.first(where: { $0.descriptor.name == name.text }) else {
      let known =
        functions.map { $0.descriptor.name } + Tap.Place.allCases.map(\.rawValue)
        + Expression.Function.allCases.map(\.rawValue) + ["clip", Self.body, Self.held]
      throw reject(
        "unknown-function", name.range, "there is no function '\(name.text)'",
        hint: Suggestion.hint(for: name.text, among: known))
    }
    return try call(primitive, arguments, range, phase)
  }

  private mutating func tap(
    _ place: Tap.Place, _ arguments: [CallArgumentSyntax], _ range: SourceRange
  ) throws(Rejected) -> Expression {
    guard (1...2).contains(arguments.count), case .site(let syntax) = arguments[0].value else {
      throw reject("wrong-count", range, "'\(place.rawValue)' takes blocks or a module of them")
    }
    let stream = try arguments.count == 2 ? stream(arguments[1]) : .latents
    guard let site = resolveSite(syntax, &problems) else { throw Rejected() }
    guard site != .uncond else {
      throw reject(
        "not-a-place", range,
        "'uncond' is a call, and nothing in the model is its "
          + place.rawValue)
    }
    return .tap(.place(place, site, stream))
  }

  /// `held(RULE, SLOT)`.
  private mutating func held(
    _ arguments: [CallArgumentSyntax], _ range: SourceRange
  ) throws(Rejected) -> Expression {
    guard arguments.count == 2, case .name(let rule) = arguments[0].value,
      case .name(let slot) = arguments[1].value
    else {
      throw reject(
        "wrong-count", range, "'\(Self.held)' takes the name of a rule and that of a slot of it")
    }
    guard let known = heldSlots.byRule[rule.text] else {
      throw reject(
        "unknown-rule", rule.range, "no 'cache' above this one is named '\(rule.text)'",
        hint: Suggestion.hint(for: rule.text, among: heldSlots.byRule.keys.sorted())
          ?? "name it: 'cache … as \(rule.text) { … }'")
    }
    guard let slots = known else { throw Rejected() }
    guard slots.contains(slot.text) else {
      throw reject(
        "not-a-slot", slot.range,
        "rule '\(rule.text)' keeps no tensor of each site in a slot '\(slot.text)'",
        hint: Suggestion.hint(for: slot.text, among: slots))
    }
    return .held(rule: rule.text, slot: slot.text)
  }

  /// `stream: N` or `stream: own`.
  private mutating func stream(
    _ argument: CallArgumentSyntax
  ) throws(Rejected) -> Tap.Stream {
    switch argument.value {
    case .literal(.integer(let number), _) where (0..<Limits.streamCount).contains(number):
      return .number(number)
    case .name(let name) where name.text == "own": return .own
    default:
      throw reject(
        "unknown-word", argument.value.range,
        "'stream' takes the number of a stream, 0 that of the latents, or 'own'")
    }
  }

  private mutating func builtIn(
    _ function: Expression.Function, _ arguments: [CallArgumentSyntax], _ range: SourceRange,
    _ phase: Phase
  ) throws(Rejected) -> Expression {
    guard arguments.count == function.arity else {
      throw reject(
        "wrong-count", range,
        "'\(function.rawValue)' takes \(function.arity) operands, not \(arguments.count)")
    }
    var operands: [Expression] = []
    if let kinds = function.tokenOperands {
      for (kind, argument) in zip(kinds, arguments) {
        operands.append(try operand(kind, argument.value, of: function.rawValue, phase))
      }
      return .call(function, operands)
    }
    for argument in arguments { operands.append(try numeric(argument.value, phase)) }
    let needsTensor = function.isReduction || function.isSelection
    guard !needsTensor || type(of: operands[0]) == .tensor else {
      throw reject(
        "wrong-type", arguments[0].value.range, "'\(function.rawValue)' needs a tensor")
    }
    if function.isSelection {
      guard case .integer(let count) = operands[1], count >= 1 else {
        throw reject(
          "not-whole", arguments[1].value.range,
          "'\(function.rawValue)' takes a whole number, 1 or more")
      }
    }
    return .call(function, operands)
  }

  /// An operand of a function of tokens.
  private mutating func operand(
    _ kind: Expression.TokenOperand, _ syntax: ExpressionSyntax, of function: String,
    _ phase: Phase
  ) throws(Rejected) -> Expression {
    let value = try expression(syntax, phase)
    let type = type(of: value)
    let needed: String? =
      switch kind {
      case .tensor: type == .tensor ? nil : "a tensor"
      case .tokens:
        type == .tokens || type == .tensor ? nil : "a choice of tokens, or numbers of tokens"
      case .number: type == .number ? nil : "a number"
      case .value: type == .tensor || type == .number ? nil : "a tensor or a number"
      case .count:
        if case .integer(let count) = value, (1...Limits.tokenCount).contains(count) {
          nil
        } else {
          "a whole number, 1 to \(Limits.tokenCount),"
        }
      }
    guard let needed else { return value }
    throw reject(
      "wrong-type", syntax.range, "'\(function)' needs \(needed) here, but this is \(type.rawValue)"
    )
  }

  private mutating func call(
    _ primitive: any FunctionPrimitive.Type, _ arguments: [CallArgumentSyntax],
    _ range: SourceRange, _ phase: Phase
  ) throws(Rejected) -> Expression {
    let descriptor = primitive.descriptor
    let plain = arguments.filter { $0.label?.text != Self.since }
    let since = arguments.first { $0.label?.text == Self.since }
    let isComplete = plain.count == descriptor.operands.count
    let isHalf = descriptor.isMetric && plain.count == descriptor.operands.count - 1
    guard isComplete && since == nil || isHalf && since != nil else {
      throw reject(
        "wrong-count", range,
        "'\(descriptor.name)' takes \(descriptor.signature)"
          + (descriptor.isMetric ? ", or 'since: last_call' for the last tensor" : ""))
    }
    var operands: [FunctionOperand] = []
    for (argument, kind) in zip(plain, descriptor.operands) {
      switch kind {
      case .list: operands.append(.list(try numbers(argument.value)))
      case .tensor, .number:
        let value = try numeric(argument.value, phase)
        if kind == .tensor, type(of: value) != .tensor {
          throw reject(
            "wrong-type", argument.value.range, "'\(descriptor.name)' compares tensors")
        }
        operands.append(.expression(value))
      }
    }
    if let since, let signal = operands.last {
      operands.append(.expression(try previous(of: signal.expression, since)))
    }
    return primitive.expression(operands)
  }

  /// A slot that holds a signal as it was at the last call, or when the site was last computed.
  private mutating func previous(
    of signal: Expression, _ since: CallArgumentSyntax
  ) throws(Rejected) -> Expression {
    guard case .name(let word) = since.value, ["last_call", "last_computed"].contains(word.text)
    else {
      throw reject(
        "unknown-word", since.value.range, "'since' takes 'last_call' or 'last_computed'")
    }
    let everyCall = word.text == "last_call"
    if let known = slots.first(where: {
      $0.name.hasPrefix("previous") && $0.computed == signal
        && ($0.reused != nil) == everyCall
    }) {
      return .slot(known.name)
    }
    var slot = Slot(name: "previous", update: signal)
    var number = 2
    while slots.contains(where: { $0.name == slot.name }) {
      slot.name = "previous_\(number)"
      number += 1
    }
    if everyCall { slot.reused = signal }
    slots.append(slot)
    return .slot(slot.name)
  }
}
