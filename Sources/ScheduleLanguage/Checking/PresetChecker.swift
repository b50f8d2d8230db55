/// Checks the presets of a schedule against its parameters.
struct PresetChecker {
  private let parameters: [ScheduleParameter]
  private(set) var presets: [Preset] = []
  private(set) var problems: [Problem] = []

  init(_ syntax: [PresetSyntax], parameters: [ScheduleParameter]) {
    self.parameters = parameters
    for preset in syntax { check(preset) }
  }

  private mutating func check(_ syntax: PresetSyntax) {
    let name = syntax.name
    guard !presets.contains(where: { $0.name == name.text }) else {
      problems.append(
        Problem("name-defined-twice", at: name.range, "there is a preset '\(name.text)' already"))
      return
    }
    var values: [String: Double] = [:]
    for (parameter, value) in syntax.values {
      guard let known = parameters.first(where: { $0.name == parameter.text }) else {
        problems.append(
          Problem(
            "unknown-parameter", at: parameter.range,
            "the schedule has no parameter '\(parameter.text)'",
            hint: Suggestion.hint(for: parameter.text, among: parameters.map(\.name))
              ?? "declare it: 'parameter \(parameter.text) in 0 to 1 = 0.1'"))
        continue
      }
      guard case .literal(let literal, _) = value,
        let number = (try? literal.value(in: EvaluationContext()))?.real
      else {
        problems.append(
          Problem("not-a-number", at: value.range, "a preset gives its parameters plain numbers"))
        continue
      }
      if !known.range.contains(number) {
        problems.append(
          Problem(
            "number-out-of-range", at: value.range,
            "'\(known.name)' takes \(known.range.lowerBound) to \(known.range.upperBound), "
              + "not \(number)"))
      }
      if values.updateValue(number, forKey: known.name) != nil {
        problems.append(
          Problem(
            "name-listed-twice", at: parameter.range, "'\(known.name)' is given twice"))
      }
    }
    presets.append(Preset(name: name.text, values: values))
  }
}
