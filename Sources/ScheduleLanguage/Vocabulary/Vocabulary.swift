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

/// One way of standing in for a site that is not computed.
public protocol ReusePrimitive: Sendable {
  /// The clause that invokes it.
  static var descriptor: ClauseDescriptor { get }
  /// The slots and the value.
  static func reuse(_ clause: Clause, in rule: RuleContext) -> Reuse
}

/// What a primitive may know of the rule that its clause stands in.
public struct RuleContext: Hashable, Sendable {
  /// All clauses of the rule, in the order of the text.
  public var clauses: [Clause]

  /// A context of clauses.
  public init(clauses: [Clause]) {
    self.clauses = clauses
  }

  /// The first clause of a keyword.
  public func clause(_ keyword: String) -> Clause? {
    clauses.first { $0.keyword == keyword }
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

  /// A table of primitives.
  public init(
    decisions: [any DecisionPrimitive.Type], reuses: [any ReusePrimitive.Type]
  ) {
    self.decisions = decisions
    self.reuses = reuses
  }

  /// The clauses that the body of a cache rule may hold, reuses first.
  public var clauses: [ClauseDescriptor] {
    reuses.map { $0.descriptor } + decisions.map { $0.descriptor }
  }

  /// The help of all clauses of a cache rule.
  public var helpText: String {
    clauses.map(\.helpText).joined(separator: "\n")
  }
}
