import Foundation
import ScheduleLanguage
public import Tensors
import TensorFiles

/// Frozen word embeddings of a small text-conditioned model.
///
/// Two files: `NAME.npy`, float32 (words, width), and `NAME.txt`, which gives each row its word,
/// `kind:word`, in order. A prompt has *places*. A line of several words is one place with these to
/// choose from; so are successive lines of one word and the same kind. A word that is listed again
/// has one row, that of its first place. Words without a kind are not used.
public struct PromptTable: Sendable {
  /// The words that each place of a prompt chooses from.
  public let places: [[String]]

  private let rows: [String: Int]
  private let vectors: [Float]
  private let width: Int

  /// A table of words and their vectors; `numbers` is float32 (words, width).
  ///
  /// - Throws: `UsageError` when there are not as many rows as words
  public init(words text: String, numbers: Tensor, at path: String) throws(UsageError) {
    var rows: [String: Int] = [:]
    var places: [[String]] = []
    var growing: Substring?
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ").map(String.init)
      for word in words where rows[word] == nil { rows[word] = rows.count }
      let kind = words.count == 1 ? Self.kind(of: line) : nil
      if words.count > 1 {
        places.append(words)
      } else if let kind, kind == growing {
        places[places.count - 1] += words
      } else if kind != nil {
        places.append(words)
      }
      growing = kind
    }
    guard numbers.rank == 2, numbers.shape[0] == rows.count, numbers.dataType == .float32 else {
      throw UsageError(
        "bad-prompt-table", at: path,
        "\(numbers.dataType)\(numbers.shape) does not fit \(rows.count) words",
        category: .badModel)
    }
    self.places = places
    self.rows = rows
    vectors = numbers.elements(as: Float.self)
    width = numbers.shape[1]
  }

  /// The table of a model: of the name that its adapter gives, or `X.prompt_table` beside `X.onnx`,
  /// or `prompt_table` in the same folder.
  public init(of modelPath: String, named name: String? = nil) throws {
    let url = URL(filePath: modelPath)
    let folder = url.deletingLastPathComponent()
    let names = name.map { [$0] } ?? ["\(ModelFiles.stem(of: url)).prompt_table", "prompt_table"]
    let paths = names.map { folder.appending(path: $0).path(percentEncoded: false) }
    let found = paths.lazy.compactMap { path in
      FileManager.default.contents(atPath: "\(path).txt").map { (path, $0) }
    }.first
    guard let (path, words) = found else {
      throw UsageError(
        "no-prompt-table", at: "\(paths[0]).txt",
        "the file that turns words into embeddings is missing",
        hint:
          "pass embeddings with --inputs, or token numbers with --prompt-ids and --text-encoder",
        category: .inputOutput)
    }
    try self.init(
      words: String(decoding: words, as: UTF8.self), numbers: try NPY.read(from: "\(path).npy"),
      at: "\(path).npy")
  }

  /// The embeddings of a prompt, (1, places, width).
  ///
  /// Words may stand in any order. One without its kind takes the first free place that has it. A
  /// place that is left out takes its word `none`.
  ///
  /// - Throws: `UsageError` for a word that there is not, a place taken twice, or one left open
  public func embeddings(of prompt: String) throws -> Tensor {
    let said = prompt.split { $0 == " " || $0 == "," }.map(String.init)
    var chosen = [String?](repeating: nil, count: places.count)
    for word in said.filter({ !Self.isNone($0) }) + said.filter(Self.isNone) {
      try put(word, into: &chosen)
    }
    var numbers: [Float] = []
    for (place, words) in zip(places, chosen).map({ ($0, $1 ?? $0.first(where: Self.isNone)) }) {
      guard let row = words.flatMap({ rows[$0] }) else {
        throw UsageError(
          "bad-prompt", at: "--prompt", "a \(Self.kind(of: place[0]) ?? "word") is missing",
          hint: "add one of \(place.joined(separator: ", "))")
      }
      numbers += vectors[row * width..<(row + 1) * width]
    }
    return Tensor(numbers, shape: try Shape([1, places.count, width]))
  }

  private func put(_ word: String, into chosen: inout [String?]) throws(UsageError) {
    let fitting = places.enumerated().compactMap { number, words in
      words.first { $0 == word || $0.hasSuffix(":\(word)") }.map { (number, $0) }
    }
    guard let first = fitting.first else {
      let all = places.joined()
      let near =
        word.contains(":")
        ? Array(all) : all.compactMap { $0.split(separator: ":").last.map(String.init) }
      throw UsageError(
        "unknown-word", at: "--prompt", "'\(word)' is no word of the prompt table",
        hint: Suggestion.hint(for: word, among: near)
          ?? "it has \(Array(Set(all)).sorted().joined(separator: ", "))")
    }
    guard let (number, full) = fitting.first(where: { chosen[$0.0] == nil }) else {
      throw UsageError(
        "bad-prompt", at: "--prompt", "'\(word)' is one too many",
        hint: "'\(chosen[first.0] ?? "")' stands in its place")
    }
    chosen[number] = full
  }

  private static func kind(of word: some StringProtocol) -> Substring? {
    word.firstIndex(of: ":").map { Substring(word[..<$0]) }
  }

  private static func isNone(_ word: String) -> Bool { word == "none" || word.hasSuffix(":none") }
}
