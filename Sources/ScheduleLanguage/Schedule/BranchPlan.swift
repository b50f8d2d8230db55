/// A number of a schedule that the host may change without rewriting the model.
public struct ScheduleParameter: Hashable, Sendable {
  /// The name that the graph input carries.
  public var name: String
  /// The values that make sense.
  public var range: ClosedRange<Double>
  /// The value without a host's say.
  public var defaultValue: Double
  /// What the number is counted in.
  public var unit: String?

  /// A parameter.
  public init(
    name: String, range: ClosedRange<Double>, defaultValue: Double, unit: String? = nil
  ) {
    self.name = name
    self.range = range
    self.defaultValue = defaultValue
    self.unit = unit
  }
}

/// A named set of values for the parameters of a schedule, such as `fast`.
public struct Preset: Hashable, Sendable {
  /// Its name.
  public var name: String
  /// Values by the names of parameters; those left out keep their own.
  public var values: [String: Double]
}

extension Schedule {
  /// The schedule with the values of one of its presets in place of its parameters' own.
  ///
  /// - Throws: `ScheduleError` if it has no preset of that name
  public func applying(preset name: String) throws(ScheduleError) -> Schedule {
    guard let preset = presets.first(where: { $0.name == name }) else {
      let names = presets.map(\.name)
      throw error([
        Problem(
          "unknown-preset", at: nameRange,
          "schedule '\(self.name)' has no preset '\(name)'",
          hint: names.isEmpty
            ? "it has none"
            : Suggestion.hint(for: name, among: names)
              ?? "it has \(names.joined(separator: ", "))")
      ])
    }
    var result = self
    for index in result.parameters.indices {
      if let value = preset.values[result.parameters[index].name] {
        result.parameters[index].defaultValue = value
      }
    }
    return result
  }
}

/// What a schedule asks of the host when guidance makes two calls a step.
public enum BranchPlan: Hashable, Sendable {
  /// Each branch decides for itself, with its own state.
  case separate
  /// The unconditional call does what the conditional one decided, with its own tensors.
  case follow
  /// Both branches until a step; then the unconditional one alone, its state the mean of both.
  case drop(from: Int)
}
