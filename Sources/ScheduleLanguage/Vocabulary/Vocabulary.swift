/// One way of deciding when a site is computed.
///
/// A rule computes when any of its decisions says so; they are asked in the order of the
/// vocabulary's table.
public protocol DecisionPrimitive: Sendable {
  /// The clause that invokes it.
  static var descriptor: ClauseDescriptor { get }
  /// Whether the clause only adds to another decision, so that a rule needs one more besides it.
  static var isGuard: Bool { get }
  /// Whether a step is computed, as a boolean expression.
  static func decision(_ clause: Clause, in rule: RuleContext) -> Expression
}

/// What a site's rule keeps, and how it stands in for the site.
public protocol ReusePrimitive: Sendable {
  /// The clause that invokes it.
  static var descriptor: ClauseDescriptor { get }
  /// The slots and the value.
  static func reuse(_ clause: Clause, in rule: RuleContext) -> Reuse
}

/// How what was kept is carried on to steps that reuse it.
public protocol ForecastPrimitive: Sendable {
  /// The clause that invokes it.
  static var descriptor: ClauseDescriptor { get }
  /// The slots that follow a feature, and its value on a reused step.
  ///
  /// - Parameters:
  ///   - feature: what a computed step makes, over the site's `input` and `output`
  ///   - name: the slot's name, to which further ones add a suffix
  ///   - storage: the type that the slots are stored in
  ///   - clause: the clause that invokes it
  /// - Returns: the slots and the feature's value
  static func forecast(
    of feature: Expression, named name: String, storage: StorageType?, _ clause: Clause
  ) -> Reuse
}

/// A function of the language that is written as an expression, such as a metric.
public protocol FunctionPrimitive: Sendable {
  /// What it is called, takes and means.
  static var descriptor: FunctionDescriptor { get }
  /// The expression, over operands that fit the descriptor.
  static func expression(_ operands: [FunctionOperand]) -> Expression
}

/// What one function is called and takes.
public struct FunctionDescriptor: Hashable, Sendable {
  /// The name.
  public var name: String
  /// What it computes, in one line.
  public var summary: String
  /// The operands, in order.
  public var operands: [Operand]
  /// Whether the last tensor may be left out for `since: last_call` or `since: last_computed`.
  public var isMetric: Bool

  /// A kind of operand.
  public enum Operand: String, Hashable, Sendable { case tensor, number, list }

  /// A function.
  public init(name: String, summary: String, operands: [Operand], isMetric: Bool = false) {
    self.name = name
    self.summary = summary
    self.operands = operands
    self.isMetric = isMetric
  }

  /// The function as help shows it.
  public var signature: String {
    let inner = operands.map(\.rawValue).joined(separator: ", ")
    return "\(name)(\(inner))"
  }
}

/// An operand of a function.
public enum FunctionOperand: Hashable, Sendable {
  /// A scalar or a tensor.
  case expression(Expression)
  /// Numbers in brackets.
  case list([Double])

  /// The expression; zero for a list.
  public var expression: Expression {
    if case .expression(let value) = self { value } else { 0 }
  }

  /// The numbers; none for an expression.
  public var numbers: [Double] {
    if case .list(let numbers) = self { numbers } else { [] }
  }
}

/// What a primitive may know of the rule that its clause stands in.
public struct RuleContext: Sendable {
  /// All clauses of the rule, in the order of the text.
  public var clauses: [Clause]
  private let forecasts: [any ForecastPrimitive.Type]

  /// A context of clauses.
  public init(clauses: [Clause], forecasts: [any ForecastPrimitive.Type] = []) {
    self.clauses = clauses
    self.forecasts = forecasts
  }

  /// The first clause of a keyword.
  public func clause(_ keyword: String) -> Clause? {
    clauses.first { $0.keyword == keyword }
  }

  /// A feature as it was when the site was last computed, or as the rule's forecast has it.
  public func carried(
    _ feature: Expression, named name: String, storage: StorageType?
  ) -> Reuse {
    for primitive in forecasts {
      guard let clause = clause(primitive.descriptor.keyword) else { continue }
      return primitive.forecast(of: feature, named: name, storage: storage, clause)
    }
    return Reuse(
      slots: [Slot(name: name, update: feature, storage: storage)], value: .slot(name))
  }
}

/// The primitives that cache rules are made of.
///
/// The language knows no primitive itself: it is given this table.
public struct Vocabulary: Sendable {
  /// The decisions, in the order in which they are asked.
  public let decisions: [any DecisionPrimitive.Type]
  /// The reuses.
  public let reuses: [any ReusePrimitive.Type]
  /// The forecasts.
  public let forecasts: [any ForecastPrimitive.Type]
  /// The functions of expressions.
  public let functions: [any FunctionPrimitive.Type]

  /// A table of primitives.
  public init(
    decisions: [any DecisionPrimitive.Type], reuses: [any ReusePrimitive.Type],
    forecasts: [any ForecastPrimitive.Type] = [], functions: [any FunctionPrimitive.Type] = []
  ) {
    self.decisions = decisions
    self.reuses = reuses
    self.forecasts = forecasts
    self.functions = functions
  }

  /// The table with further primitives behind its own.
  public func adding(
    decisions: [any DecisionPrimitive.Type] = [], reuses: [any ReusePrimitive.Type] = [],
    forecasts: [any ForecastPrimitive.Type] = [], functions: [any FunctionPrimitive.Type] = []
  ) -> Vocabulary {
    Vocabulary(
      decisions: self.decisions + decisions, reuses: self.reuses + reuses,
      forecasts: self.forecasts + forecasts, functions: self.functions + functions)
  }

  /// The clauses that the body of a cache rule may hold, reuses first.
  public var clauses: [ClauseDescriptor] {
    reuses.map { $0.descriptor } + forecasts.map { $0.descriptor }
      + decisions.map { $0.descriptor }
  }

  /// The help of all clauses and functions of a cache rule.
  public var helpText: String {
    let names = functions.map { "  \($0.descriptor.signature)\n      \($0.descriptor.summary)" }
    return (clauses.map(\.helpText) + names).joined(separator: "\n")
  }
}
