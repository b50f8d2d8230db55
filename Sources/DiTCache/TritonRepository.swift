import CacheContract
import CacheRewrite
import Foundation
import Legalization
import Tensors

/// The folder of one model in a repository of Triton Inference Server: `REPOSITORY/MODEL` with
/// `config.pbtxt` and the file of version 1.
///
/// Folders that were made go away again unless the configuration is committed.
final class TritonRepository {
  /// The file that Triton reads first.
  static let configurationName = "config.pbtxt"
  /// The file of a version.
  static let fileName = "model.onnx"
  /// The same below the model's folder.
  static let filePath = "1/\(fileName)"

  /// Where the model is written to.
  let modelPath: String
  private let configurationPath: String
  private let configuration: TritonConfiguration
  private let made: String?
  private var isCommitted = false

  /// Makes the folders.
  ///
  /// - Throws: `UsageError` if they cannot be made, or if somebody else's configuration is there
  init(at repository: String, _ configuration: TritonConfiguration) throws {
    let folder = "\(repository)/\(configuration.name)"
    let version = "\(folder)/1"
    modelPath = "\(folder)/\(Self.filePath)"
    configurationPath = "\(folder)/\(Self.configurationName)"
    self.configuration = configuration
    if let there = try? String(contentsOfFile: configurationPath, encoding: .utf8),
      !there.hasPrefix(TritonConfiguration.mark)
    {
      throw UsageError(
        "foreign-configuration", at: configurationPath,
        "a file of this name is there that ditcache did not write", hint: "choose another folder",
        category: .inputOutput)
    }
    made = [repository, folder, version].first { !FileManager.default.fileExists(atPath: $0) }
    try FolderPath.make(version)
  }

  /// Writes the configuration, once the model is there.
  func commit() throws {
    var file = try DurableFile(replacing: configurationPath)
    try file.write(Array(configuration.text.utf8))
    try file.commit()
    isCommitted = true
  }

  deinit {
    if !isCommitted, let made { try? FileManager.default.removeItem(atPath: made) }
  }
}

/// Servers that a model can be written for.
enum ServingEngine: String, CaseIterable {
  /// NVIDIA Triton Inference Server with its ONNX Runtime backend.
  case triton

  /// Chooses what the server needs where the command line leaves it open.
  ///
  /// - Throws: `UsageError` if the command line asks for something else
  func adjust(_ job: inout RewriteJob) throws(UsageError) {
    guard job.form == .if || job.form == .function else {
      throw UsageError(
        "serve-form", at: "--form \(job.form.rawValue)",
        "a server keeps the state of one file that decides by itself", hint: "leave --form out")
    }
    guard job.convention != .optional else {
      throw UsageError(
        "state-for-target", at: "--state optional",
        "Triton counts required inputs only, so the state would never be fed",
        hint: "leave --state out, or pass --state required")
    }
    guard job.target == nil || job.target == .triton else {
      throw UsageError(
        "target-for-server", at: "--serve \(rawValue)", "the target is another runtime",
        hint: "leave --target out")
    }
    job.target = .triton
  }
}
