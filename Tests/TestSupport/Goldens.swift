import Foundation
public import Testing

/// Compares text with the recorded file `Goldens/<name>` beside the calling test.
///
/// A missing file, or `RECORD_GOLDENS=1`, records the text and fails the test, so that a golden is
/// never made silently.
public func expectGolden(
  _ text: String, _ name: String, filePath: String = #filePath,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let url = URL(filePath: filePath).deletingLastPathComponent().appending(path: "Goldens/\(name)")
  let recorded = try? String(contentsOf: url, encoding: .utf8)
  guard let recorded, ProcessInfo.processInfo.environment["RECORD_GOLDENS"] == nil else {
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try text.write(to: url, atomically: true, encoding: .utf8)
    Issue.record("recorded \(name); read it before committing", sourceLocation: sourceLocation)
    return
  }
  guard text != recorded else { return }
  Issue.record(
    "\(name) differs:\n\(difference(from: recorded, to: text))", sourceLocation: sourceLocation)
}

private func difference(from old: String, to new: String) -> String {
  let before = old.split(separator: "\n", omittingEmptySubsequences: false)
  let after = new.split(separator: "\n", omittingEmptySubsequences: false)
  return after.difference(from: before).prefix(40).map { change in
    switch change {
    case .remove(let line, let text, _): "-\(line + 1): \(text)"
    case .insert(let line, let text, _): "+\(line + 1): \(text)"
    }
  }.joined(separator: "\n")
}
