import Foundation

/// Files that belong to a model and stand beside it.
enum ModelFiles {
  /// `X` of `X.onnx` and of `X.cached.onnx`.
  static func stem(of model: URL) -> String {
    model.lastPathComponent.split(separator: ".").first.map(String.init) ?? "model"
  }

  /// The path of `X.<suffix>` beside `X.onnx`.
  static func path(of suffix: String, beside model: String) -> String {
    let url = URL(filePath: model)
    return url.deletingLastPathComponent().appending(path: "\(stem(of: url)).\(suffix)")
      .path(percentEncoded: false)
  }
}
