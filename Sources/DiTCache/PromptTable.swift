import Foundation
public import Tensors
import TensorFiles

/// Frozen word embeddings of a small text-conditioned model.
///
/// Two files beside the model: `prompt_table.txt`, one `kind:word` a line, and `prompt_table.npy`,
/// one vector a line. A prompt is one word for each kind, in the table's order of kinds.
public struct PromptTable: Sendable {
  private let entries: [(kind: String, word: String)]
  private let vectors: [Float]
  private let width: Int

  /// The kinds in order.
  public let kinds: [String]

  /// The table in a folder.
  public init(inFolderOf modelPath: String) throws {
    let folder = URL(filePath: modelPath).deletingLastPathComponent()
    let words = folder.appending(path: "prompt_table.txt").path(percentEncoded: false)
    let numbers = folder.appending(path: "prompt_table.npy").path(percentEncoded: false)
    guard let data = FileManager.default.contents(atPath: words) else {
      throw UsageError(
        "no-prompt-table", at: words, "the file that turns words into embeddings is missing",
        hint: "pass embeddings with --inputs instead of --prompt", category: .inputOutput)
    }
    let tensor = try NPY.read(from: numbers)
    entries = String(decoding: data, as: UTF8.self).split(separator: "\n").map { line in
      let parts = line.split(separator: ":", maxSplits: 1).map(String.init)
      return parts.count == 2 ? (parts[0], parts[1]) : ("", parts[0])
    }
    guard tensor.rank == 2, tensor.shape[0] == entries.count, tensor.dataType == .float32 else {
      throw UsageError(
        "bad-prompt-table", at: numbers,
        "\(tensor.dataType)\(tensor.shape) does not fit \(entries.count) words", category: .badModel
      )
    }
    vectors = tensor.elements(as: Float.self)
    width = tensor.shape[1]
    var kinds: [String] = []
    for entry in entries where !entry.kind.isEmpty && !kinds.contains(entry.kind) {
      kinds.append(entry.kind)
    }
    self.kinds = kinds
  }

  /// The embeddings of a prompt, (1, words, width).
  public func embeddings(of prompt: String) throws -> Tensor {
    let words = prompt.split { $0 == " " || $0 == "," }.map(String.init)
    guard words.count == kinds.count else {
      throw UsageError(
        "bad-prompt", at: "--prompt",
        "\(words.count) words, but a prompt is \(kinds.count): \(kinds.joined(separator: ", "))")
    }
    var numbers: [Float] = []
    for (kind, word) in zip(kinds, words) {
      guard let index = entries.firstIndex(where: { $0.kind == kind && $0.word == word }) else {
        let known = entries.filter { $0.kind == kind }.map(\.word).joined(separator: ", ")
        throw UsageError(
          "unknown-word", at: "--prompt", "'\(word)' is no \(kind)", hint: "known are \(known)")
      }
      numbers += vectors[index * width..<(index + 1) * width]
    }
    return Tensor(numbers, shape: try Shape([1, words.count, width]))
  }
}
