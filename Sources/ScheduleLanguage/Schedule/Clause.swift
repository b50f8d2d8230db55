/// One value of a clause, with the place where it is written.
public struct Argument: Hashable, Sendable {
  /// The kinds of values.
  public enum Value: Hashable, Sendable {
    /// A whole number.
    case integer(Int)
    /// A number of steps, which a run must have.
    case stepCount(Int)
    /// Steps, counted from 0, which a run must have.
    case steps([Int])
    /// A real number.
    case number(Double)
    /// One of a fixed list of words.
    case word(String)
    /// A name of the user's choice.
    case name(String)
    /// Several names.
    case names([String])
  }

  /// The value.
  public var value: Value
  /// Where it is written.
  public var range: SourceRange
  /// Where each element is written, for a list.
  public var elements: [SourceRange]

  /// A value written at a place.
  public init(_ value: Value, range: SourceRange, elements: [SourceRange] = []) {
    self.value = value
    self.range = range
    self.elements = elements
  }
}

/// One statement of a body: a keyword and its checked arguments.
public struct Clause: Hashable, Sendable {
  /// The keyword, its words separated by one space: `refresh every`.
  public var keyword: String
  /// The arguments by parameter name; parameters left out and without a default are absent.
  public var arguments: [String: Argument]
  /// Where the clause is written.
  public var range: SourceRange
  /// The clause as the file writes it, on one line.
  public var text: String

  /// A clause from its parts.
  public init(
    keyword: String, arguments: [String: Argument], range: SourceRange, text: String
  ) {
    self.keyword = keyword
    self.arguments = arguments
    self.range = range
    self.text = text
  }

  /// A whole-number or step-count argument.
  public func integer(_ parameter: String) -> Int? {
    switch arguments[parameter]?.value {
    case .integer(let value), .stepCount(let value): value
    default: nil
    }
  }

  /// A real argument.
  public func number(_ parameter: String) -> Double? {
    if case .number(let value) = arguments[parameter]?.value { value } else { nil }
  }

  /// A word or name argument.
  public func word(_ parameter: String) -> String? {
    switch arguments[parameter]?.value {
    case .word(let value), .name(let value): value
    default: nil
    }
  }

  /// A list of names.
  public func names(_ parameter: String) -> [String] {
    if case .names(let value) = arguments[parameter]?.value { value } else { [] }
  }

  /// A list of steps.
  public func steps(_ parameter: String) -> [Int] {
    if case .steps(let value) = arguments[parameter]?.value { value } else { [] }
  }

  /// What does not fit a run of so many steps; the messages say both numbers.
  func problems(steps: Int) -> [Problem] {
    arguments.sorted { $0.value.range.start < $1.value.range.start }.flatMap { _, argument in
      switch argument.value {
      case .stepCount(let count) where count > steps:
        return [
          Problem(
            "steps-past-the-end", at: argument.range,
            "'\(keyword)' asks for \(count) steps, but the run has \(steps)")
        ]
      case .steps(let list):
        return zip(list, argument.elements).filter { $0.0 >= steps }.map { step, range in
          Problem(
            "steps-past-the-end", at: range,
            "step \(step) is past the last step: the run has \(steps) steps (0-\(steps - 1))")
        }
      default: return []
      }
    }
  }
}
