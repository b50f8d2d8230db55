import CachePolicies
public import FuzzInput
import ScheduleLanguage

/// The main function.
@_cdecl("FuzzSchedules_main")
public func fuzzSchedules(_ count: Int32, _ arguments: Arguments) -> Int32 {
  fuzz(count, arguments) { test($0, $1) }
}

/// Any text gives diagnostics inside it; a text without errors has one canonical form.
private func test(_ start: UnsafeRawPointer?, _ count: Int) -> Int32 {
  guard let start, count > 0 else { return 0 }
  let bytes = [UInt8](UnsafeRawBufferPointer(start: start, count: count))
  let document = check(bytes)
  for diagnostic in document.diagnostics {
    let range = diagnostic.problem.range
    guard 0 <= range.start, range.start <= range.end, range.end <= bytes.count,
      !diagnostic.text.isEmpty
    else { found("a diagnostic outside the text: \(range)") }
  }
  guard let formatted = document.formatted else { return 0 }
  let again = check(Array(formatted.utf8))
  if again.hasErrors { found("the canonical form has errors") }
  if again.formatted != formatted { found("the canonical form is not canonical") }
  if again.tree.tokens.map(\.kind) != document.tree.tokens.map(\.kind) {
    found("the canonical form says something else")
  }
  return 0
}

private func check(_ bytes: [UInt8]) -> ScheduleDocument {
  ScheduleDocument(checking: SourceFile(path: "fuzz.dcs", bytes: bytes), with: .standard) { _ in
    SourceFile(path: "imported.dcs", text: "rule imported(n) { compute when step mod n == 0 }")
  }
}
