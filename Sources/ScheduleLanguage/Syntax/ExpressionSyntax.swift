/// An expression as written, its names not looked up yet.
package indirect enum ExpressionSyntax: Sendable {
  case literal(Expression, SourceRange)
  case name(NameSyntax)
  /// Blocks, or modules of blocks.
  case site(SiteSyntax)
  case call(NameSyntax, [CallArgumentSyntax], SourceRange)
  /// `NAME[INDEX]`
  case element(NameSyntax, ExpressionSyntax, SourceRange)
  case list([ExpressionSyntax], SourceRange)
  case unary(UnaryOperator, ExpressionSyntax, SourceRange)
  case binary(Expression.BinaryOperator, ExpressionSyntax, ExpressionSyntax)
  case member(ExpressionSyntax, ExpressionSyntax)
  case conditional(ExpressionSyntax, ExpressionSyntax, ExpressionSyntax, SourceRange)

  package enum UnaryOperator: String, Sendable {
    case not, minus = "-"
  }

  /// Where the expression is written.
  package var range: SourceRange {
    switch self {
    case .literal(_, let range), .call(_, _, let range), .element(_, _, let range),
      .list(_, let range), .unary(_, _, let range), .conditional(_, _, _, let range):
      range
    case .name(let name): name.range
    case .site(let site): site.range
    case .binary(_, let left, let right), .member(let left, let right):
      left.range.union(right.range)
    }
  }
}

/// An argument of a call, with its label.
package struct CallArgumentSyntax: Sendable {
  package var label: NameSyntax?
  package var value: ExpressionSyntax
}

/// A statement of a cache rule or of a named rule.
package enum RuleStatement: Sendable {
  case clause(Clause)
  case slot(SlotSyntax)
  case binding(NameSyntax, ExpressionSyntax)
  case assignment(AssignmentSyntax)
  /// `compute unless`, `compute when` or `refresh unless`; the range is that of the keyword.
  case decision(unless: Bool, ExpressionSyntax, SourceRange)
  case reuse(ExpressionSyntax, SourceRange)
  case report(ExpressionSyntax)
  case use(NameSyntax, [CallArgumentSyntax])

  /// The clause, if it is one.
  package var clause: Clause? {
    if case .clause(let clause) = self { clause } else { nil }
  }
}

/// A `slot NAME [= NUMBER | per token] [as TYPE]`.
package struct SlotSyntax: Sendable {
  package var name: NameSyntax
  /// What a scalar begins with; nil for a tensor.
  package var initial: ExpressionSyntax?
  /// Whether it holds one number for each token.
  package var isPerToken: Bool
  package var storage: StorageType?
}

/// A `NAME := VALUE [when computed | when reused] [, then VALUE when computed]`.
package struct AssignmentSyntax: Sendable {
  /// When an assignment takes place.
  package enum Moment: String, Sendable, CaseIterable {
    case always, computed, reused
  }

  package var name: NameSyntax
  package var value: ExpressionSyntax
  package var moment: Moment
  /// What the slot becomes after a computed site, if `then` says so.
  package var afterwards: ExpressionSyntax?
}

/// A `rule NAME(PARAMETERS) { … }`.
package struct RuleSyntax: Sendable {
  package var name: NameSyntax
  package var parameters: [RuleParameterSyntax]
  package var body: [RuleStatement]
  package var isComplete: Bool
  /// Whether it stands in another file than the one that uses it.
  package var isImported = false
}

/// A parameter of a rule: `NAME [in A to B] [of UNIT] [= DEFAULT]`.
package struct RuleParameterSyntax: Sendable {
  package var name: NameSyntax
  package var range: ClosedRange<Double>?
  package var unit: String?
  package var defaultValue: ExpressionSyntax?
}
