import Foundation

/// Compares text with a committed file.
package enum GoldenText {
  /// What differs between a text and its golden file, nil if nothing does.
  ///
  /// With `RECORD_GOLDENS=1` in the environment the file is written anew, and that is reported too,
  /// so that a recording run never passes.
  ///
  /// - Parameters:
  ///   - text: The text that the test made.
  ///   - name: The file, beneath the folder `Golden` of the test target.
  ///   - test: The test's own source file.
  /// - Returns: The first line that differs, or what else is wrong.
  package static func difference(
    of text: String, from name: String, test: String = #filePath
  ) -> String? {
    let file = URL(filePath: test).deletingLastPathComponent()
      .appending(path: "Golden").appending(path: name)
    if ProcessInfo.processInfo.environment["RECORD_GOLDENS"] == "1" {
      do {
        try Data(text.utf8).write(to: file)
        return "recorded \(name)"
      } catch {
        return "cannot record \(name): \(error)"
      }
    }
    guard let golden = try? String(contentsOf: file, encoding: .utf8) else {
      return "no golden file \(name)"
    }
    guard golden != text else { return nil }
    let expected = golden.split(separator: "\n", omittingEmptySubsequences: false)
    let actual = text.split(separator: "\n", omittingEmptySubsequences: false)
    let line = zip(expected, actual).prefix { $0 == $1 }.count
    let shown = { (lines: [Substring]) in line < lines.count ? "'\(lines[line])'" : "the end" }
    return "\(name):\(line + 1): expected \(shown(expected)), found \(shown(actual))"
  }
}
