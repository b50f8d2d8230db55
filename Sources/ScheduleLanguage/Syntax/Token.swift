/// A comment, from `#` to the end of its line.
package struct Comment: Hashable, Sendable {
  /// The text with its `#`, without blanks at its end.
  package var text: String
  /// The line breaks between what stands before and the comment: 0 for one behind a token.
  package var newlinesBefore: Int
}

/// One word, number or mark of a file, with the comments before it.
package struct Token: Hashable, Sendable {
  /// The kinds of tokens.
  package enum Kind: Hashable, Sendable {
    case word(String)
    case string(String)
    case integer(Int)
    case number(Double)
    case mark(Mark)
    /// Something that the lexer has already complained about.
    case invalid
    case end
  }

  /// The punctuation of the language.
  package enum Mark: String, Hashable, Sendable, CaseIterable {
    case assign = ":="
    case lessOrEqual = "<="
    case greaterOrEqual = ">="
    case equal = "=="
    case notEqual = "!="
    case toEnd = ".."
    case openBrace = "{"
    case closeBrace = "}"
    case openBracket = "["
    case closeBracket = "]"
    case openParenthesis = "("
    case closeParenthesis = ")"
    case comma = ","
    case colon = ":"
    case equals = "="
    case less = "<"
    case greater = ">"
    case plus = "+"
    case minus = "-"
    case star = "*"
    case slash = "/"
    case dot = "."
  }

  /// What the token is.
  package var kind: Kind
  /// Where it is.
  package var range: SourceRange
  /// The comments between the token before and this one.
  package var comments: [Comment]
  /// The line breaks between the comment or token before and this one.
  package var newlinesBefore: Int

  /// Whether the token is the first one of its line.
  package var isFirstOnLine: Bool { newlinesBefore > 0 || !comments.isEmpty }

  func isMark(_ mark: Mark) -> Bool { kind == .mark(mark) }

  /// The word itself, if the token is one.
  var word: String? {
    if case .word(let text) = kind { text } else { nil }
  }
}
