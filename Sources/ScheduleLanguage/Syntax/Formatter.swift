/// Writes parsed files in their one canonical form.
///
/// The formatter moves blanks and line breaks and nothing else: tokens and comments come out as
/// they went in. One statement a line, two spaces a level, one blank line where the text had some
/// and between items, lists filled to 100 columns.
package struct Formatter {
  private static let lineLength = 100
  private static let connectives: Set<String> = ["else", "and", "or", "when"]
  private static let indentation = 2

  private let tree: SyntaxTree
  private var output = ""
  private var column = 0
  private var braces = 0
  private var brackets = 0
  private var opensBlock = true
  private var closesItem = false

  /// The canonical text of a tree that was parsed without errors.
  package static func format(_ tree: SyntaxTree) -> String {
    var formatter = Formatter(tree)
    for index in tree.tokens.indices { formatter.write(index) }
    if !formatter.output.isEmpty { formatter.output += "\n" }
    return formatter.output
  }

  /// Some tokens on one line, without their comments.
  static func line(of tokens: Range<Int>, in tree: SyntaxTree) -> String {
    let formatter = Formatter(tree)
    return tokens.reduce(into: "") { text, index in
      if index > tokens.lowerBound, formatter.needsSpace(before: index) { text += " " }
      text += tree.source.text(tree.tokens[index].range)
    }
  }

  private init(_ tree: SyntaxTree) {
    self.tree = tree
  }

  private mutating func write(_ index: Int) {
    let token = tree.tokens[index]
    var mustBreak = false
    for comment in token.comments {
      if comment.newlinesBefore == 0, !output.isEmpty, !mustBreak {
        output += "  " + comment.text
      } else {
        breakLine(after: comment.newlinesBefore, indent: braces + (brackets > 0 ? 2 : 0))
        append(comment.text)
      }
      mustBreak = true
    }
    guard token.kind != .end else { return }
    let text = tree.source.text(token.range)
    if token.isMark(.closeBrace) {
      braces = max(0, braces - 1)
      if opensBlock, !mustBreak {
        append(text)
      } else {
        breakLine(after: 1, indent: braces)
        append(text)
      }
      opensBlock = false
      closesItem = braces == 0
      return
    }
    if token.isMark(.closeBracket) || token.isMark(.closeParenthesis) {
      brackets = max(0, brackets - 1)
    }
    let isStatement = tree.statementStarts.contains(index)
    if isStatement {
      breakLine(after: token.newlinesBefore, indent: braces)
    } else if mustBreak || overflows(at: index) {
      breakLine(after: 1, indent: braces + 2)
    } else if needsSpace(before: index) {
      append(" ")
    }
    append(text)
    if token.isMark(.openBrace) {
      braces += 1
      opensBlock = true
    }
    if token.isMark(.openBracket) || token.isMark(.openParenthesis) { brackets += 1 }
  }

  private mutating func append(_ text: String) {
    output += text
    column += text.unicodeScalars.count
    closesItem = false
    opensBlock = false
  }

  private mutating func breakLine(after newlines: Int, indent: Int) {
    let wasItem = closesItem
    let wasOpen = opensBlock
    if !output.isEmpty {
      output += (newlines > 1 && !wasOpen) || wasItem ? "\n\n" : "\n"
    }
    let blanks = output.isEmpty ? 0 : indent * Self.indentation
    output += String(repeating: " ", count: blanks)
    column = blanks
    opensBlock = false
    closesItem = false
  }

  /// Whether a list element, or a further part of an expression, does not fit on the line any more.
  private func overflows(at index: Int) -> Bool {
    if let word = tree.tokens[index].word, Self.connectives.contains(word), braces > 0 {
      var width = column
      var place = index
      repeat {
        width += 1 + tree.tokens[place].range.end - tree.tokens[place].range.start
        place += 1
      } while place < tree.tokens.count && !tree.statementStarts.contains(place)
        && !(tree.tokens[place].word.map(Self.connectives.contains) ?? false)
        && !tree.tokens[place].isMark(.closeBrace)
      return width > Self.lineLength
    }
    guard brackets > 0, index > 0, tree.tokens[index - 1].isMark(.comma) else { return false }
    var width = column + 1
    var place = index
    while place < tree.tokens.count {
      width += tree.tokens[place].range.end - tree.tokens[place].range.start
      let kind = tree.tokens[place].kind
      if [.mark(.comma), .mark(.closeBracket), .mark(.closeParenthesis)].contains(kind) { break }
      place += 1
    }
    return width > Self.lineLength
  }

  private func needsSpace(before index: Int) -> Bool {
    guard index > 0, !tree.tightTokens.contains(index) else { return false }
    switch tree.tokens[index].kind {
    case .mark(.closeBracket), .mark(.closeParenthesis), .mark(.comma), .mark(.colon): return false
    default: break
    }
    let previous = tree.tokens[index - 1]
    return !previous.isMark(.openBracket) && !previous.isMark(.openParenthesis)
  }
}
