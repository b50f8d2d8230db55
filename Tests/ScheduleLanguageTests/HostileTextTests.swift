import CachePolicies
import ScheduleLanguage
import TestSupport
import Testing

@Suite struct HostileTextTests {
  private func check(_ bytes: [UInt8]) -> ScheduleDocument {
    ScheduleDocument(checking: SourceFile(path: "hostile.dcs", bytes: bytes), with: .standard)
  }

  private func codes(_ bytes: [UInt8]) -> [String] {
    check(bytes).diagnostics.map(\.problem.code)
  }

  @Test func g3_aFileBeyondALimitIsRefusedWithBothNumbers() {
    let long = Array("# ".utf8) + [UInt8](repeating: 0x61, count: 1_000_000)
    #expect(codes(long) == ["line-too-long"])
    #expect(
      check(long).diagnostics.first?.problem.message
        == "the line has 1000002 bytes; the limit is 4096")
    let large = [UInt8](repeating: 0x0A, count: (1 << 20) + 1)
    #expect(codes(large) == ["file-too-large"])
    #expect(codes([UInt8](repeating: 0x0A, count: 1 << 20)) == [])
    #expect(check(large).diagnostics.allSatisfy { $0.isLimit })
  }

  @Test func g3_deepNestingIsRefused() {
    for mark in ["{", "[", "(", "{[("] {
      let text = String(repeating: mark + "\n", count: 10_000)
      #expect(codes(Array(text.utf8)).contains("nested-too-deeply"))
    }
    #expect(codes(Array("schedule a for any {".utf8)) == ["unclosed-body"])
  }

  @Test func g2_textThatIsNotUTF8IsRefusedAtTheByte() {
    for bad: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82], [0xF5, 0x80]] {
      let document = check(Array("# a\n# ".utf8) + bad)
      #expect(document.diagnostics.map(\.problem.code) == ["not-utf8"])
      #expect(document.diagnostics.first?.position == SourcePosition(line: 2, column: 3))
    }
  }

  @Test func g2_invisibleCharactersAreRefusedEvenInComments() throws {
    for scalar in ["\u{0}", "\u{7}", "\u{202E}", "\u{2028}", "\u{200B}", "\u{FEFF}", "\u{9B}"] {
      let inComment = check(Array("# a\(scalar)b".utf8))
      let diagnostic = try #require(inComment.diagnostics.first)
      #expect(diagnostic.problem.code == "forbidden-character")
      #expect(diagnostic.position == SourcePosition(line: 1, column: 4))
      #expect(!diagnostic.text.unicodeScalars.contains { scalar.unicodeScalars.contains($0) })
      #expect(codes(Array("schedule \(scalar)a".utf8)).contains("forbidden-character"))
    }
    #expect(codes(Array("# ünïcode, 漢字 and 🙂 are fine".utf8)) == [])
  }

  @Test func g9_manyErrorsAreCountedAfterTheHundredth() throws {
    let text = "schedule a for any {\n" + String(repeating: "wrong 1\n", count: 10_000) + "}\n"
    let diagnostics = check(Array(text.utf8)).diagnostics
    #expect(diagnostics.count == 101)
    #expect(diagnostics.last?.problem.message == "the file has 9900 more problems")
  }

  @Test func g3_manyRulesTakeLinearTime() throws {
    var text = "schedule a for any {\nsteps 10000\n"
    for index in 0..<20_000 { text += "cache blocks[\(index)]{keep delta refresh every 2}\n" }
    text += "}\n"
    #expect(text.utf8.count < 1 << 20)
    let clock = ContinuousClock()
    var document: ScheduleDocument?
    let time = clock.measure { document = check(Array(text.utf8)) }
    #expect(document?.schedules.first?.rules.count == 20_000)
    #expect(time < .seconds(20))
  }

  @Test func g3_namesThatDoubleDoNotExplode() {
    var text = "schedule a for any {\nlet a0 = blocks[0]\n"
    for index in 1...60 { text += "let a\(index) = a\(index - 1) + a\(index - 1)\n" }
    text += "cache a60 { keep delta refresh every 2 }\n}\n"
    let document = check(Array(text.utf8))
    #expect(document.diagnostics.map(\.problem.code) == ["too-many-terms"])
    #expect(document.diagnostics.allSatisfy { $0.isLimit })
  }

  @Test func excerptsOfLongLinesStayShort() throws {
    let text = "# x\nschedule a for any { " + String(repeating: "steps 1 ", count: 400) + "wrong }"
    let diagnostics = check(Array(text.utf8)).diagnostics
    #expect(!diagnostics.isEmpty)
    #expect(diagnostics.allSatisfy { $0.excerpt.count <= 162 && $0.carets.count <= 162 })
  }

  @Test(arguments: 0..<40)
  func g13_g14_randomTokensGiveDiagnosticsInsideTheTextOrAnIdempotentFormat(_ seed: UInt64) {
    var generator = SplitMix(seed: seed)
    for _ in 0..<50 {
      let bytes = generator.chance(2) ? randomTokens(&generator) : mutated(&generator)
      let document = check(bytes)
      for diagnostic in document.diagnostics {
        #expect(0...bytes.count ~= diagnostic.problem.range.start)
        #expect(diagnostic.problem.range.start <= diagnostic.problem.range.end)
        #expect(diagnostic.problem.range.end <= bytes.count)
        #expect(!diagnostic.text.isEmpty)
      }
      guard let formatted = document.formatted else { continue }
      let again = check(Array(formatted.utf8))
      #expect(!again.hasErrors)
      #expect(again.formatted == formatted)
      #expect(again.tree.tokens.map(\.kind) == document.tree.tokens.map(\.kind))
    }
  }

  private static let words = [
    "schedule", "adapter", "for", "any", "a", "b", "{", "}", "\n", "\n", "steps", "50", "let", "=",
    "blocks", "[", "]", "0", "2", "-", "7", "..", ",", "cache", "stack", "as", "keep delta",
    "refresh every 2", "refresh at", "[3, 5]", "warmup_steps", "6", "+", "# note\n", "\"x.y\"",
    "latents", "timestep", "guidance", "batched", "text", "times", "1.5", "(", ")", "\t", "é", "\0",
  ]

  private func randomTokens(_ generator: inout SplitMix) -> [UInt8] {
    let count = Int(generator.next() % 60)
    return Array(
      (0..<count).map { _ in Self.words[Int(generator.next() % UInt64(Self.words.count))] }
        .joined(separator: " ").utf8)
  }

  private static let valid = Array(
    """
    # note
    schedule a for any { steps 50
      let b = blocks[0, 2-7, 10..] + dual[-1] # trailing
      cache b as rule { keep delta as float16 refresh at [3, 5] warmup_steps 2 }
      cache single[-3..] { keep delta refresh every 6 }
    }
    adapter x { latents h timestep t times 1000 text e, f guidance embedded in g shift 3 }
    """.utf8)

  private func mutated(_ generator: inout SplitMix) -> [UInt8] {
    var bytes = Self.valid
    for _ in 0..<Int(generator.next() % 4) {
      let place = Int(generator.next() % UInt64(bytes.count))
      switch generator.next() % 4 {
      case 0: bytes.remove(at: place)
      case 1: bytes.insert(UInt8(truncatingIfNeeded: generator.next()), at: place)
      case 2: bytes.swapAt(place, Int(generator.next() % UInt64(bytes.count)))
      default: bytes.removeSubrange(place..<min(bytes.count, place + 5))
      }
    }
    return bytes
  }
}
