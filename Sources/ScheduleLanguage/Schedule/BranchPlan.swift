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

/// What a schedule asks of the host when guidance makes two calls a step.
public enum BranchPlan: Hashable, Sendable {
  /// Each branch decides for itself, with its own state.
  case separate
  /// The unconditional call does what the conditional one decided, with its own tensors.
  case follow
  /// Both branches until a step; then the unconditional one alone, its state the mean of both.
  case drop(from: Int)
}
