import CachePolicies
import ScheduleLanguage
import TestSupport
import Testing

@Suite struct FormatterTests {
  @Test func g13_aFileInAnyLayoutGetsTheCanonicalOne() throws {
    let formatted = try #require(
      ScheduleDocument(checking: try fixture("Golden/messy.dcs"), with: .standard).formatted)
    #expect(GoldenText.difference(of: formatted, from: "messy.formatted.dcs") == nil)
  }

  @Test func g13_formattingChangesNothingButBlanksAndLineBreaks() throws {
    let before = ScheduleDocument(checking: try fixture("Golden/messy.dcs"), with: .standard)
    let text = try #require(before.formatted)
    let after = ScheduleDocument(
      checking: SourceFile(path: "messy.dcs", text: text), with: .standard)
    #expect(after.tree.tokens.map(\.kind) == before.tree.tokens.map(\.kind))
    #expect(
      after.tree.tokens.flatMap { $0.comments.map(\.text) }
        == before.tree.tokens.flatMap { $0.comments.map(\.text) })
    #expect(after.formatted == text)
  }

  @Test func g1_lineEndingsByteOrderMarksAndTabsDoNotMatter() throws {
    let text = "schedule a for any {\n\tcache stack {\n\t\tkeep delta\n\t\trefresh every 2\n\t}\n}"
    let canonical = try #require(formatted(Array(text.utf8)))
    let crlf = text.split(separator: "\n").joined(separator: "\r\n")
    let cr = text.split(separator: "\n").joined(separator: "\r")
    #expect(formatted(Array(crlf.utf8)) == canonical)
    #expect(formatted(Array(cr.utf8)) == canonical)
    #expect(formatted([0xEF, 0xBB, 0xBF] + Array(text.utf8)) == canonical)
    #expect(canonical.hasSuffix("}\n") && !canonical.contains("\t"))
  }

  @Test func g1_emptyFilesAndFilesOfCommentsAreValid() {
    #expect(formatted([]) == "")
    #expect(formatted(Array("  \n\n".utf8)) == "")
    #expect(formatted(Array("  # only this  \r\n".utf8)) == "# only this\n")
    #expect(
      formatted(Array("adapter a{latents x timestep t}#end".utf8))?.hasSuffix("}  #end\n") == true)
  }

  @Test func aLongListIsFilledToTheLineLength() throws {
    let list = (0..<60).map { String($0 * 2) }.joined(separator: ",")
    let text = try #require(
      formatted(
        Array("schedule a for any { cache blocks[\(list)] { keep delta refresh every 2 } }".utf8)))
    let lines = text.split(separator: "\n")
    #expect(lines.allSatisfy { $0.count <= 100 })
    #expect(lines.count == 8)
    #expect(formatted(Array(text.utf8)) == text)
  }

  private func formatted(_ bytes: [UInt8]) -> String? {
    ScheduleDocument(checking: SourceFile(path: "a.dcs", bytes: bytes), with: .standard).formatted
  }
}
