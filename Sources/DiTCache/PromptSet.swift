import Foundation
import Tensors

/// Prompts and seeds of a set of runs.
public enum PromptSet {
  /// The most seeds of one set.
  static let maximumSeeds = 10_000

  /// The prompts of a file, one a line; empty lines and lines that begin with `#` are left out.
  public static func read(_ path: String) throws -> [String] {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw UsageError(
        "no-prompts", at: "--prompts \(path)", "the file cannot be read", category: .inputOutput)
    }
    let prompts = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline)
      .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty && !$0.hasPrefix("#") }
    guard !prompts.isEmpty else {
      throw UsageError("no-prompts", at: "--prompts \(path)", "the file holds no prompt")
    }
    return prompts
  }

  /// Seeds as people write them: numbers and ranges with both ends, separated by commas.
  public static func seeds(_ text: String, option: String) throws -> [UInt64] {
    var seeds: [UInt64] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { UInt64($0) }
      guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
        first <= last, last - first < maximumSeeds, seeds.count < maximumSeeds
      else {
        throw UsageError(
          "bad-seeds", at: "\(option) \(text)",
          "numbers and ranges such as 0,1,2 or 0-7 were "
            + "expected")
      }
      seeds += first...last
    }
    return seeds
  }
}
