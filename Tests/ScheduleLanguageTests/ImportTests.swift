import CachePolicies
import ScheduleLanguage
import Testing

@Suite struct ImportTests {
  private struct Missing: Error {}

  private let use = """
    schedule test for any {
      cache stack { keep delta use often(n: 3) }
    }
    """
  private let often = "rule often(n in 1 to 9 = 2) { compute when step mod n == 0 }"

  private func check(
    _ text: String, files: [String: String]
  ) -> ScheduleDocument {
    ScheduleDocument(checking: SourceFile(path: "test.dcs", text: text), with: .standard) { path in
      guard let text = files[path] else { throw Missing() }
      return SourceFile(path: path, text: text)
    }
  }

  @Test func aRuleOfAnotherFileIsKnown() throws {
    let document = check("import \"often.dcs\"\n" + use, files: ["often.dcs": often])
    #expect(document.diagnostics.isEmpty)
    #expect(document.rules == ["often"])
    let rule = try #require(document.schedules.first?.rules.first)
    #expect(try StepTable(deciding: rule.decision, steps: 7).computedSteps == [0, 3, 6])
  }

  @Test func filesThatImportEachOtherAreReadOnce() {
    let document = check(
      "import \"a.dcs\"\nimport \"a.dcs\"\n" + use,
      files: [
        "a.dcs": "import \"b.dcs\"", "b.dcs": "import \"a.dcs\"\nimport \"b.dcs\"\n" + often,
      ])
    #expect(document.diagnostics.isEmpty)
    #expect(document.rules == ["often"])
  }

  @Test func aRuleOfTheFileItselfWins() throws {
    let own = "rule often(n) { compute when step mod 5 == 0 }\n"
    let document = check("import \"often.dcs\"\n" + own + use, files: ["often.dcs": often])
    #expect(document.diagnostics.isEmpty)
    let rule = try #require(document.schedules.first?.rules.first)
    #expect(try StepTable(deciding: rule.decision, steps: 7).computedSteps == [0, 5])
  }

  @Test(arguments: [
    ("import \"absent.dcs\"", "missing-import", "'absent.dcs' cannot be read"),
    (
      "import \"broken.dcs\"", "broken-import",
      "'broken.dcs' has an error in line 2: expected"
    ),
    ("import often", "unexpected-text", "expected"),
    ("import", "unexpected-text", "expected"),
    ("import \"many0.dcs\"", "too-many-imports", "more than 64 files are imported"),
  ])
  func whatCannotBeImportedIsSaidAtTheImport(_ text: String, _ code: String, _ message: String) {
    var files = ["broken.dcs": "# a rule\nrule (", "often.dcs": often]
    for number in 0..<100 { files["many\(number).dcs"] = "import \"many\(number + 1).dcs\"" }
    let document = check("# first\n" + text + "\n", files: files)
    #expect(document.diagnostics.map(\.problem.code) == [code])
    #expect(document.diagnostics.first?.problem.message.contains(message) == true)
    let line = text == "import" ? 3 : 2
    #expect((document.diagnostics.first?.position.line ?? 0) <= line)
  }

  @Test func withoutAReaderOfFilesNothingIsImported() {
    let document = ScheduleDocument(
      checking: SourceFile(path: "test.dcs", text: "import \"often.dcs\"\n"), with: .standard)
    #expect(document.diagnostics.map(\.problem.code) == ["import-refused"])
  }

  @Test func aWrongValueForAnImportedRuleIsSaidWhereItIsUsed() {
    let document = check(
      "import \"often.dcs\"\n" + use.replacing("n: 3", with: "n: 12"),
      files: ["often.dcs": often])
    #expect(document.diagnostics.map(\.problem.code) == ["number-out-of-range"])
    #expect(document.diagnostics.first?.position.line == 3)
  }
}
