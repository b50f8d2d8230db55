import Foundation
import GraphIR
import OnnxFile
import Operators
import TestSupport
import Testing

/// One operator is one file, one line of the table, and a test: a file of its own or a case of
/// `Tests/Fixtures/operators`.
@Suite struct OperatorCoverageTests {
  @Test func filesAndTablesNameTheSameOperators() throws {
    let standard = try listed(in: "OperatorTable+Standard.swift")
    #expect(Set(standard) == Set(try operators(fused: false).map(\.name)))
    #expect(OperatorTable.standard.keys.count == standard.count)
    let fused = try listed(in: "OperatorTable+Fused.swift")
    #expect(Set(fused) == Set(try operators(fused: true).map(\.name)))
    #expect(OperatorTable.fusedTypes.count == fused.count)
  }

  @Test func noFileMayContainWhatFusionsWrite() {
    let fused = Set(OperatorTable.fusedTypes.map { $0.key })
    #expect(fused.isDisjoint(with: OperatorTable.standard.keys))
  }

  /// Fused operators are compared with their parts in InterpreterTests.
  private func listed(in file: String) throws -> [String] {
    let table = try String(contentsOf: sources.appending(path: file), encoding: .utf8)
    let listed = table.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { $0.hasSuffix(".self,") }.map { String($0.dropLast(6)) }
    #expect(listed == listed.sorted())
    return listed
  }

  @Test func everyOperatorIsTested() throws {
    var covered: Set<OpKey> = []
    let cases = Fixtures.operatorCases
    for name in try FileManager.default.contentsOfDirectory(atPath: cases)
    where name.hasSuffix(".onnx") {
      try OnnxModel.read("\(cases)/\(name)").graph.forEachGraph { graph in
        for id in graph.order { covered.insert(graph[id].op) }
      }
    }
    let tests = Fixtures.package.appending(path: "Tests/OperatorsTests")
    let files = FileManager.default.enumerator(at: tests, includingPropertiesForKeys: nil)
    var own: Set<String> = []
    while let url = files?.nextObject() as? URL { own.insert(url.lastPathComponent) }
    for (name, key) in try operators(fused: false) {
      #expect(
        own.contains("\(name)Tests.swift") || covered.contains(key), "\(name) has no test")
    }
  }

  private let sources = Fixtures.package.appending(path: "Sources/Operators")

  /// The files of operators, and what the table looks them up by.
  private func operators(fused: Bool) throws -> [(name: String, key: OpKey)] {
    let files = FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil)
    var result: [(name: String, key: OpKey)] = []
    while let url = files?.nextObject() as? URL {
      guard url.pathExtension == "swift" else { continue }
      let lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
      let keys = lines.filter { $0.hasPrefix("  static let key") }
      guard let line = keys.first else { continue }
      let name = url.deletingPathExtension().lastPathComponent
      #expect(keys.count == 1, "\(name) has \(keys.count) operators")
      let words = line.split(separator: "\"").map(String.init)
      result.append((name, OpKey(words[1], domain: words.count > 3 ? words[3] : "")))
    }
    return result.filter { ($0.key.domain == OpKey.fused("").domain) == fused }
  }
}
