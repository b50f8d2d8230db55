/// The rules that a file defines and those of the files that it imports.
struct RuleLibrary {
  private(set) var rules: [String: RuleSyntax] = [:]
  private(set) var problems: [Problem] = []

  /// Gathers rules; each imported file is read once, however often it is named.
  init(
    _ tree: SyntaxTree, with vocabulary: Vocabulary,
    importing imported: ((String) throws -> SourceFile)?
  ) {
    var seen: Set<String> = []
    var pending: [(tree: SyntaxTree, place: SourceRange?)] = [(tree, nil)]
    while let (tree, place) = pending.popLast() {
      for item in tree.items {
        switch item {
        case .rule(let rule):
          // A name defined twice in one file is reported by the document.
          if place != nil, rules[rule.name.text] != nil {
            continue
          }
          rules[rule.name.text] = rule
          rules[rule.name.text]?.isImported = place != nil
        case .imports(let statement):
          let at = place ?? statement.path.range
          guard seen.insert(statement.path.text).inserted else { continue }
          guard seen.count <= Self.fileLimit else {
            problems.append(
              Problem(
                "too-many-imports", at: at, "more than \(Self.fileLimit) files are imported"))
            return
          }
          guard let imported else {
            problems.append(
              Problem("import-refused", at: at, "files cannot be imported from here"))
            continue
          }
          do {
            let source = try imported(statement.path.text)
            let (inner, found) = Parser.parse(source, with: vocabulary)
            if let first = found.first {
              let line = source.position(of: first.range.start).line
              problems.append(
                Problem(
                  "broken-import", at: at,
                  "'\(statement.path.text)' has an error in line \(line): \(first.message)"))
            }
            pending.append((inner, at))
          } catch let error as Problem {
            problems.append(
              Problem(error.code, at: at, error.message, hint: error.hint))
          } catch {
            problems.append(
              Problem("missing-import", at: at, "'\(statement.path.text)' cannot be read"))
          }
        case .schedule, .adapter: break
        }
      }
    }
  }

  private static let fileLimit = 64
}
