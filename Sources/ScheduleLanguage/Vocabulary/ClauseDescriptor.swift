/// What one kind of clause is called, takes and means; parsing, errors and help come from it.
public struct ClauseDescriptor: Hashable, Sendable {
  /// The words that begin the clause, separated by one space: `refresh every`.
  public var keyword: String
  /// What the clause says, in one line.
  public var summary: String
  /// The parameters in the order of the text.
  public var parameters: [ParameterDescriptor]
  /// Whether a body may hold the clause more than once.
  public var isRepeatable: Bool
  /// Whether a body must hold the clause.
  public var isRequired: Bool
  /// Words that other tools use for the keyword; hints translate them.
  public var synonyms: [String]

  /// A kind of clause.
  public init(
    keyword: String, summary: String, parameters: [ParameterDescriptor] = [],
    isRepeatable: Bool = false, isRequired: Bool = false, synonyms: [String] = []
  ) {
    self.keyword = keyword
    self.summary = summary
    self.parameters = parameters
    self.isRepeatable = isRepeatable
    self.isRequired = isRequired
    self.synonyms = synonyms
  }

  /// The words of the keyword.
  var words: [String] { keyword.split(separator: " ").map(String.init) }

  /// The clause as help shows it: `keep delta [as TYPE]`.
  public var signature: String {
    ([keyword] + parameters.map(\.signature)).joined(separator: " ")
  }

  /// The signature, the summary, and a line for every parameter.
  public var helpText: String {
    let lines = parameters.map { "      \($0.placeholder): \($0.helpText)" }
    return (["  \(signature)", "      \(summary)"] + lines).joined(separator: "\n")
  }
}

/// One value that a clause takes.
public struct ParameterDescriptor: Hashable, Sendable {
  /// What values the parameter accepts.
  public enum Kind: Hashable, Sendable {
    /// A whole number in a range.
    case integer(ClosedRange<Int>)
    /// A number of steps in a range, and never more than the run has.
    case stepCount(ClosedRange<Int>)
    /// A list of steps in brackets.
    case steps
    /// A real number in a range.
    case number(ClosedRange<Double>)
    /// One of some words.
    case word([String])
    /// A name, in quotes if it is not a word of the language.
    case name
    /// Names separated by commas.
    case names
  }

  /// The name by which code asks for the argument.
  public var name: String
  /// The word that stands before the value; a labelled parameter may be left out.
  public var label: String?
  /// What values the parameter accepts.
  public var kind: Kind
  /// What the value is counted in.
  public var unit: String?
  /// What the value says, in one line.
  public var summary: String
  /// The value if a labelled parameter is left out; nil leaves the argument absent.
  public var defaultValue: Argument.Value?

  /// A parameter of a clause.
  public init(
    _ name: String, label: String? = nil, _ kind: Kind, unit: String? = nil, summary: String,
    default defaultValue: Argument.Value? = nil
  ) {
    self.name = name
    self.label = label
    self.kind = kind
    self.unit = unit
    self.summary = summary
    self.defaultValue = defaultValue
  }

  var placeholder: String {
    let word = String(name.map { $0 == "_" ? "-" : $0 }).uppercased()
    return switch kind {
    case .steps: "[\(word), …]"
    case .names: "\(word), …"
    default: word
    }
  }

  var signature: String { label.map { "[\($0) \(placeholder)]" } ?? placeholder }

  var helpText: String {
    var parts = [summary]
    switch kind {
    case .integer(let range), .stepCount(let range):
      parts.append("\(range.lowerBound) to \(range.upperBound)")
    case .number(let range): parts.append("\(range.lowerBound) to \(range.upperBound)")
    case .word(let words): parts.append(words.joined(separator: " | "))
    case .steps, .name, .names: break
    }
    if let unit { parts.append("in \(unit)") }
    switch defaultValue {
    case .integer(let value)?, .stepCount(let value)?: parts.append("default \(value)")
    case .number(let value)?: parts.append("default \(value)")
    case .word(let value)?, .name(let value)?: parts.append("default \(value)")
    case .steps?, .names?, nil: break
    }
    return parts.joined(separator: "; ")
  }
}
