/// A file as parsed: every token with its comments, and the statements made of them.
package struct SyntaxTree: Sendable {
  /// The file.
  package var source: SourceFile
  /// All tokens; the last one is the end of the file.
  package var tokens: [Token]
  /// What the file declares, in order.
  package var items: [ItemSyntax]
  /// The indices of the tokens that begin a statement.
  package var statementStarts: Set<Int>
  /// The indices of the tokens that follow the one before without a space.
  package var tightTokens: Set<Int>
}

/// Something that a file declares.
package enum ItemSyntax: Sendable {
  case schedule(ScheduleSyntax)
  case adapter(AdapterSyntax)
  case rule(RuleSyntax)
  case imports(ImportSyntax)
}

/// An `import "PATH"`.
package struct ImportSyntax: Sendable {
  package var path: NameSyntax
}

/// A name and its place.
package struct NameSyntax: Hashable, Sendable {
  package var text: String
  package var range: SourceRange
}

/// A `schedule NAME for ADAPTER { … }`.
package struct ScheduleSyntax: Sendable {
  package var name: NameSyntax
  /// The adapter, or `any`.
  package var target: NameSyntax
  package var statements: [ScheduleStatement]
  /// Whether every statement of the body could be read.
  package var isComplete: Bool
}

/// A statement of a schedule.
package enum ScheduleStatement: Sendable {
  case clause(Clause)
  case binding(BindingSyntax)
  case cache(CacheSyntax)
  case parameter(RuleParameterSyntax)
  case preset(PresetSyntax)
}

/// A `preset NAME { PARAMETER VALUE … }`.
package struct PresetSyntax: Sendable {
  package var name: NameSyntax
  package var values: [(parameter: NameSyntax, value: ExpressionSyntax)]
}

/// A `let NAME = SITE` or `let NAME = EXPRESSION`.
package struct BindingSyntax: Sendable {
  /// What the name stands for.
  package enum Value: Sendable {
    case site(SiteSyntax)
    case expression(ExpressionSyntax)
  }

  package var name: NameSyntax
  /// What it stands for; nil if that could not be read.
  package var value: Value?
}

/// A `cache SITE [as NAME] { … }`.
package struct CacheSyntax: Sendable {
  package var keywordRange: SourceRange
  package var site: SiteSyntax
  package var name: NameSyntax?
  package var body: [RuleStatement]
  /// Whether every statement of the body could be read.
  package var isComplete: Bool
}

/// A site: `[PART + … of] TERM + … [before gate]`.
package struct SiteSyntax: Sendable {
  package var parts: [Site.Part]
  package var terms: [SiteTermSyntax]
  package var cut = Site.Cut.afterGate
  package var range: SourceRange
}

/// A part of a site.
package enum SiteTermSyntax: Sendable {
  /// `stack`, or a name bound by `let`.
  case name(NameSyntax)
  /// `FAMILY[…]`
  case blocks(BlockTerm)
}

/// An `adapter NAME { … }`.
package struct AdapterSyntax: Sendable {
  package var name: NameSyntax
  package var clauses: [Clause]
  /// Whether every statement of the body could be read.
  package var isComplete: Bool
}
