import CacheContract
import GraphIR
import ModelStructure
import ScheduleLanguage
import Tensors

/// What the leaves of a rule's expressions stand for.
extension RuleState {
  /// Lowers expressions of the rule; `site` is the site and stream whose border they mean, nil for
  /// the rule's only site, and `isBefore` is true for what is evaluated before the decision.
  func lowering(
    site: (number: Int, stream: Int)? = nil, ready: ValueID, isBefore: Bool = false
  ) -> ExpressionLowering {
    let place = site.map { "\(rule.name)/\(sites[$0.number].name)" } ?? "rule '\(rule.name)'"
    return ExpressionLowering(
      place: place,
      hasFixedSize: { name in
        old[name] != nil || avoidsNestedIf && tensorSlot(name, site)?.type.concreteShape != nil
      },
      grid: { try grid(at: site) }
    ) { expression, scope in
      try leaf(expression, scope, site: site, ready: ready, isBefore: isBefore)
    }
  }

  private func leaf(
    _ expression: Expression, _ scope: GraphScope, site: (number: Int, stream: Int)?,
    ready: ValueID, isBefore: Bool
  ) throws -> Operand {
    let again = lowering(site: site, ready: ready, isBefore: isBefore)
    switch expression {
    case .control(.valid): return Operand(value: scope.outer(ready), kind: .boolean)
    case .control(.depth):
      guard let site else { break }
      let value = Float(sites[site.number].depth(of: blockCount))
      return Operand(value: scope.graph.constant([value], shape: .scalar), kind: .number)
    case .body(let operand):
      guard let site, let original else { break }
      return try body(on: operand, site, original, again, in: scope)
    case .control(let control):
      if let counter = old[control.rawValue] {
        return Operand(value: scope.outer(counter), kind: .number)
      }
      guard let value = controls[control] else { break }
      let isReal = [.timestep, .sigma, .nextSigma].contains(control)
      return Operand(value: scope.outer(value), kind: isReal ? .number : .integer)
    case .parameter(let name):
      guard let value = controls.parameter(name) else { break }
      return Operand(value: scope.outer(value), kind: .number)
    case .updated(let name):
      let slot = slots.first { $0.name == name }
      if isBefore, let before = slot?.before {
        var value = try again.lower(before, in: scope)
        value.value = scope.cast(value.value, to: .float32)
        value.kind = .number
        return value
      }
      guard let value = updated[name] else { break }
      return Operand(value: scope.outer(value), kind: .number)
    case .tap(let tap):
      guard let meaning = taps[tap, site?.stream ?? 0] else { break }
      switch meaning {
      case .value(let value): return tensor(value, scope)
      case .difference(let a, let b):
        var operand = tensor(a, scope)
        operand.value = scope.emit(
          "Sub", [operand.value, scope.outer(b)], operand.valueType)
        return operand
      case .recomputed(let inputs, let output):
        guard let original else { break }
        let copy = BodyCopy(of: output, from: inputs, hidden: owned, in: original)
        return Operand(
          value: try copy.emit(in: scope, at: again.place), kind: .tensor,
          type: original.tensorType(of: output) ?? TensorType(nil, nil))
      }
    case .site(.input): return tensor(try stream(site).input, scope)
    case .site(.output): return tensor(try stream(site).output, scope)
    case .site(let value):
      guard let site, let original else { break }
      let scores = try AttentionScores(of: sites[site.number], in: original, at: again.place)
      return try scores.values(value, ofStream: site.stream, in: scope)
    case .held(let rule, let slot):
      guard let site else { break }
      let value = try held.value(
        of: slot, in: rule, at: sites[site.number].blocks.lowerBound, stream: site.stream,
        place: again.place)
      var operand = tensor(value, scope)
      operand.value = scope.cast(operand.value, to: .float32)
      operand.type.dataType = .float32
      return operand
    case .slot(let name):
      if let value = old[name] { return Operand(value: scope.outer(value), kind: .number) }
      guard let (input, type) = tensorSlot(name, site) else { break }
      func held(_ scope: GraphScope) -> Operand {
        let value = scope.cast(scope.outer(input), to: type.dataType ?? .float32)
        return Operand(value: value, kind: .tensor, type: type)
      }
      if scope.isReady { return held(scope) }
      if again.hasFixedSize(name) {
        let zero = Operand(
          value: scope.graph.constant([Float(0)], shape: .scalar), kind: .number)
        return again.selected(scope.outer(ready), held(scope), zero, in: scope)
      }
      return try again.choice(
        scope.outer(ready), in: scope, isReady: true, then: { held($0) },
        else: { inner in
          let zero = Operand(
            value: inner.graph.constant([Float(0)], shape: .scalar), kind: .number)
          var due = inner.outer(try reference(name, site))
          if slots.contains(where: { $0.name == name && $0.isPerToken }) {
            due = inner.firstChannel(of: due)
          }
          return try again.spread(zero, like: type, in: inner, reference: due)
        })
    default: break
    }
    throw again.unsupported("'\(expression)'")
  }

  /// The grid of a site's tokens; nil for a stream of other tokens than the latents'.
  private func grid(
    at site: (number: Int, stream: Int)?
  ) throws(CacheRewriteError) -> TokenGrid? {
    let stream = try stream(site)
    guard site?.stream ?? 0 == 0 else { return nil }
    let tokens = original?.tensorType(of: stream.input)?.shape?.dropLast().last?.value
    let found = tokens.flatMap { tokens in
      latents.flatMap { TokenGrid.candidates(ofLatents: $0, tokens: tokens).first?.grid }
    }
    guard let found else {
      throw CacheRewriteError(
        "no-token-grid", at: "rule '\(rule.name)'",
        "'grid_peaks' needs the grid of the latents' tokens, which is not known",
        hint: "export the model with fixed sizes; tokens joined with text are no grid",
        category: .badSchedule)
    }
    return found
  }

  /// What a site makes of other hidden states, or of some of their tokens.
  private func body(
    on expression: Expression, _ site: (number: Int, stream: Int), _ original: Graph,
    _ lowering: ExpressionLowering, in scope: GraphScope
  ) throws -> Operand {
    let streams = sites[site.number].streams
    let own = streams[site.stream]
    let copy = BodyCopy(of: own.output, from: streams.map(\.input), hidden: owned, in: original)
    if let other = streams.first(where: { $0.input != own.input && copy.reads($0.input) }) {
      throw CacheRewriteError(
        "streams-read-each-other", at: lowering.place,
        "'body' takes one tensor, but the site reads '\(original.name(of: other.input))' of another "
          + "stream as well", category: .badSchedule)
    }
    let operand = try lowering.lower(expression, in: scope)
    let due = original.tensorType(of: own.input) ?? TensorType(nil, nil)
    guard operand.kind == .tensor, let shape = operand.type.shape, let whole = due.shape,
      shape.count == whole.count, shape.count >= 2,
      shape.indices.allSatisfy({ $0 == shape.count - 2 || shape[$0] == whole[$0] })
    else {
      throw CacheRewriteError(
        "not-the-sites-tokens", at: lowering.place,
        "'body' takes hidden states like the site's, and '\(expression)' is of another shape",
        hint: "write 'body(gather(input, …))'", category: .badSchedule)
    }
    var rows: (axes: TokenRows, count: Dimension)?
    let count = shape[shape.count - 2]
    if count != whole[shape.count - 2] {
      rows = (
        try TokenRows(of: own.input, through: copy.nodes, in: original, at: lowering.place), count
      )
    }
    let value = due.dataType.map { scope.cast(operand.value, to: $0) } ?? operand.value
    var type = original.tensorType(of: own.output) ?? TensorType(nil, nil)
    if let axis = rows?.axes.axes[own.output] { type.shape?[axis] = count }
    return Operand(
      value: try copy.emit(
        in: scope, replacing: (own.input, value), rows: rows, at: lowering.place),
      kind: .tensor, type: type)
  }

  private func tensor(_ value: ValueID, _ scope: GraphScope) -> Operand {
    let inner = scope.outer(value)
    return Operand(
      value: inner, kind: .tensor, type: scope.graph.tensorType(of: inner) ?? TensorType(nil, nil))
  }

  /// The streams of the site that an expression means.
  private func stream(
    _ site: (number: Int, stream: Int)?
  ) throws(CacheRewriteError) -> Stream {
    if let site { return sites[site.number].streams[site.stream] }
    guard sites.count == 1 else {
      throw CacheRewriteError(
        "ambiguous-site", at: "rule '\(rule.name)'",
        "'input' and 'output' mean \(sites.count) sites here, and a number is kept once a rule",
        hint: "read one of them: 'output(blocks[3])', 'residual(self_attention of blocks[3])'",
        category: .badSchedule)
    }
    return sites[0].streams[0]
  }

  /// The input of a tensor slot, and the type it has in expressions.
  private func tensorSlot(
    _ name: String, _ site: (number: Int, stream: Int)?
  ) -> (input: ValueID, type: TensorType)? {
    for (entry, input) in zip(shared.entries, sharedInputs) where entry.slot.name == name {
      return (input, TensorType(entry.signalType ?? entry.type.dataType, entry.type.shape))
    }
    let number = site?.number ?? 0
    guard number < local.count else { return nil }
    for (entry, input) in zip(local[number].entries, localInputs[number])
    where entry.slot.name == name && entry.stream == site?.stream ?? 0 {
      return (input, TensorType(entry.signalType ?? entry.type.dataType, entry.type.shape))
    }
    return nil
  }

  /// A value of the shape that a slot will have.
  private func reference(
    _ name: String, _ site: (number: Int, stream: Int)?
  ) throws(CacheRewriteError) -> ValueID {
    for entry in shared.entries where entry.slot.name == name {
      if let tap = entry.slot.signal(among: slots), let meaning = taps[tap] {
        return meaning.first
      }
    }
    return try stream(site).output
  }
}
