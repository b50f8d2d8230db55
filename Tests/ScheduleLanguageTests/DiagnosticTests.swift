import CachePolicies
import ScheduleLanguage
import TestSupport
import Testing

@Suite struct DiagnosticTests {
  @Test func aDiagnosticShowsPlaceSentenceLineCaretsAndHint() throws {
    let text = """
      # A schedule with a mistake in almost every line.
      schedule wrong for wan {
        stesp 50
        let background = blocks[0, 2-7, 5, 9-4]
        let middle = blocks[5-8, 6]
        cache backgruond {
          keep delta as bfloat
          warmup_step 6
          refresh evry 6
          ret_steps 5
      \t  refresh at [3, 3, 99999]
        }
      }
      """
    let document = ScheduleDocument(
      checking: SourceFile(path: "wrong.dcs", text: text), with: .standard)
    let rendered = document.diagnostics.map(\.text).joined(separator: "\n") + "\n"
    #expect(GoldenText.difference(of: rendered, from: "diagnostics.txt") == nil)
  }

  @Test func columnsCountCharactersAndTabsAsOne() {
    let source = SourceFile(path: "a", text: "ab\r\n\té漢x\rlast")
    #expect(source.position(of: 0) == SourcePosition(line: 1, column: 1))
    #expect(source.position(of: 4) == SourcePosition(line: 2, column: 1))
    #expect(source.position(of: 10) == SourcePosition(line: 2, column: 4))
    #expect(source.position(of: 12) == SourcePosition(line: 3, column: 1))
    #expect(source.position(of: 99) == SourcePosition(line: 3, column: 5))
  }

  @Test func aByteOrderMarkIsNoColumn() {
    let source = SourceFile(path: "a", bytes: [0xEF, 0xBB, 0xBF] + Array("wrong".utf8))
    let document = ScheduleDocument(checking: source, with: .standard)
    #expect(document.diagnostics.first?.position == SourcePosition(line: 1, column: 1))
    #expect(document.diagnostics.first?.carets == "^~~~~")
  }

  @Test(arguments: [
    ("refersh", ["refresh", "reuse"], "refresh"),
    ("warmup", ["warmup_steps"], nil),
    ("kep", ["keep", "key"], "keep"),
    ("stcak", ["stack"], "stack"),
    ("x", ["y"], "y"),
    ("exact", ["exact"], nil),
  ])
  func theNearestWordIsOneThatWasProbablyMeant(
    _ word: String, _ candidates: [String], _ expected: String?
  ) {
    #expect(Suggestion.nearest(to: word, among: candidates) == expected)
  }
}
