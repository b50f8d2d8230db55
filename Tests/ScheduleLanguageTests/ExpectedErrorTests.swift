import CachePolicies
import Foundation
import ScheduleLanguage
import Testing

/// A diagnostic that a comment of an invalid file announces.
private struct Expectation: Hashable {
  var line: Int
  var severity: Problem.Severity
  var message: String
}

@Suite struct ExpectedErrorTests {
  static let files = fixtures("Invalid")

  @Test func thereAreInvalidFiles() throws {
    let count = try Self.files.reduce(0) {
      try $0 + expectations(in: fixture("Invalid/\($1)")).count
    }
    #expect(count >= 120)
  }

  @Test(arguments: files)
  func g4_g5_g6_g7_g8_anInvalidFileReportsWhatItsCommentsExpectAndNothingElse(_ name: String) throws
  {
    let source = try fixture("Invalid/\(name)")
    let expected = try expectations(in: source)
    #expect(!expected.isEmpty)
    var unmatched = ScheduleDocument(checking: source, with: .standard).diagnostics
    for expectation in expected {
      let index = unmatched.firstIndex { diagnostic in
        diagnostic.position.line == expectation.line
          && diagnostic.problem.severity == expectation.severity
          && diagnostic.problem.message.contains(expectation.message)
      }
      guard let index else {
        Issue.record("\(name):\(expectation.line): missing '\(expectation.message)'")
        continue
      }
      unmatched.remove(at: index)
    }
    for diagnostic in unmatched { Issue.record("unexpected \(diagnostic.headline)") }
  }

  @Test(arguments: files)
  func g9_theDiagnosticsOfAFileAreInTheOrderOfItsText(_ name: String) throws {
    let document = ScheduleDocument(checking: try fixture("Invalid/\(name)"), with: .standard)
    let starts = document.diagnostics.map(\.problem.range.start)
    #expect(starts == starts.sorted())
    #expect(document.formatted == nil)
  }

  private func expectations(in source: SourceFile) throws -> [Expectation] {
    let text = String(decoding: source.bytes, as: UTF8.self)
    let pattern = /expected-(error|warning)@([+-]\d+) \{\{(.*?)\}\}/
    var found: [Expectation] = []
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      for match in line.matches(of: pattern) {
        let offset = try #require(Int(match.output.2))
        let severity = try #require(Problem.Severity(rawValue: String(match.output.1)))
        found.append(
          Expectation(
            line: index + 1 + offset, severity: severity, message: String(match.output.3)))
      }
    }
    return found
  }
}
