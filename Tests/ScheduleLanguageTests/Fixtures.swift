import CachePolicies
import Foundation
import ScheduleLanguage
import Testing

private let folder = URL(filePath: #filePath).deletingLastPathComponent()

/// The names of the schedule files in a folder beside the tests, sorted.
func fixtures(_ name: String) -> [String] {
  let path = folder.appending(path: name).path(percentEncoded: false)
  let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
  return names.filter { $0.hasSuffix(".dcs") }.sorted()
}

/// A file beside the tests, under its short name.
func fixture(_ name: String) throws -> SourceFile {
  let data = try Data(contentsOf: folder.appending(path: name))
  return SourceFile(path: name, bytes: Array(data))
}

/// The only schedule of a valid text.
func schedule(_ text: String) throws -> Schedule {
  let document = try ScheduleDocument.reading(
    SourceFile(path: "test.dcs", text: text), with: .standard)
  return try #require(document.schedules.first)
}

/// A schedule that caches one site every second step.
func schedule(caching site: String) throws -> Schedule {
  try schedule("schedule test for any { cache \(site) { keep delta refresh every 2 } }")
}

/// The messages of all diagnostics of a text.
func messages(_ text: String) -> [String] {
  ScheduleDocument(checking: SourceFile(path: "test.dcs", text: text), with: .standard)
    .diagnostics.map(\.problem.message)
}
