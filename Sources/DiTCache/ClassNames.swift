import Foundation
import Tensors

/// The classes of a class-conditional model: `X.classes.txt` beside `X.onnx`, one name a line in the
/// order of their numbers.
struct ClassNames {
  private let path: String
  private let names: [String]

  /// The names beside a model; none when there is no such file.
  init(of modelPath: String) {
    path = ModelFiles.path(of: "classes.txt", beside: modelPath)
    let text = FileManager.default.contents(atPath: path)
      .map { String(decoding: $0, as: UTF8.self) }
    names = text?.split(separator: "\n").map(String.init) ?? []
  }

  /// The number of a class, given by its name or its number, as int64 (1).
  func label(of prompt: String) throws(UsageError) -> Tensor {
    let number = names.firstIndex(of: prompt) ?? Int(prompt)
    guard let number, number >= 0, names.isEmpty || number < names.count else {
      throw UsageError(
        "unknown-class", at: "--prompt", "'\(prompt)' is no class",
        hint: names.isEmpty
          ? "\(path) does not exist, so classes have only numbers"
          : "known are \(names.joined(separator: ", "))")
    }
    return Tensor([Int64(number)], shape: .vector(1))
  }
}
