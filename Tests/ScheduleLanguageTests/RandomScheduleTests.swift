import CachePolicies
import Foundation
import ScheduleLanguage
import TestSupport
import Testing

/// Files that a generator makes: no layout of the same tokens reads otherwise, and the canonical
/// form is the only one.
@Suite struct RandomScheduleTests {
  private func check(_ text: String) -> ScheduleDocument {
    ScheduleDocument(checking: SourceFile(path: "random.dcs", text: text), with: .standard) { _ in
      SourceFile(path: "first.dcs", text: "rule imported(n) { compute when n < 3 }")
    }
  }

  private func comments(_ document: ScheduleDocument) -> [String] {
    document.tree.tokens.flatMap { $0.comments.map(\.text) }
  }

  /// What the schedules say, without the places where they say it.
  private func meaning(_ document: ScheduleDocument) -> [String] {
    document.schedules.flatMap { schedule in
      ["\(schedule.name) \(schedule.steps ?? 0) \(schedule.parameters.map(\.name))"]
        + schedule.rules.flatMap { rule in
          let expressions = [rule.decision, rule.reuse.value] + rule.reuse.slots.flatMap(\.updates)
          return [rule.name, rule.site.text] + expressions.map(\.description)
        }
    }
  }

  /// The same files before each commit, others in continuous integration; repeat one with
  /// DITCACHE_SEED.
  @Test func g13_formattingIsIdempotentAndKeepsTokensAndComments() throws {
    let given = ProcessInfo.processInfo.environment["DITCACHE_SEED"].flatMap(UInt64.init)
    let isShort = TestTier.current == .standard
    let first = given ?? (isShort ? 1 : UInt64.random(in: 0...UInt64.max / 2))
    let count: UInt64 = given == nil ? (isShort ? 400 : 20_000) : 1
    for seed in first..<first + count {
      var generator = ScheduleGenerator(seed: seed)
      let tokens = generator.file()
      let plain = check(tokens.joined(separator: " "))
      let place = "DITCACHE_SEED=\(seed)"
      let canonical = try #require(
        plain.formatted,
        "\(place): \(plain.diagnostics.map(\.text).joined()) in \(tokens.joined(separator: " "))")
      let again = check(canonical)
      #expect(again.formatted == canonical, "\(place): not canonical")
      #expect(again.tree.tokens.map(\.kind) == plain.tree.tokens.map(\.kind), "\(place)")
      #expect(meaning(again) == meaning(plain), "\(place): means something else")
      let laidOut = check(generator.text(of: tokens))
      let formatted = try #require(laidOut.formatted, "\(place)")
      let last = check(formatted)
      #expect(last.formatted == formatted, "\(place): not canonical with comments")
      #expect(comments(last) == comments(laidOut), "\(place): lost a comment")
      #expect(meaning(last) == meaning(plain), "\(place): layout changed the meaning")
    }
  }
}
