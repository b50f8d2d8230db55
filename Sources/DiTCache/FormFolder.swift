public import CacheContract
import CacheRewrite
import Foundation
import OnnxFile
import Tensors

/// A cached model in a form of several files, in a folder with a manifest.
public enum FormFolder {
  /// The name of the manifest in its folder.
  public static let manifestName = "manifest.json"

  /// Metadata of each file: which form it is a part of.
  static let partKey = "ditcache/part"

  /// What a part's metadata says: the form and the digest of the original.
  static func partWord(of manifest: Manifest) -> String {
    "\(manifest.form?.kind.rawValue ?? "") \(manifest.originalDigest)"
  }

  /// The folder of a path that is one or the manifest in it.
  static func folder(of path: String) -> String {
    let url = URL(filePath: path)
    guard url.lastPathComponent == manifestName else { return path }
    return url.deletingLastPathComponent().path(percentEncoded: false)
  }

  /// Where a form's original is: in its folder or the one above, else where it would be.
  static func original(_ form: Form, in folder: String) -> String {
    let name = URL(filePath: form.original).lastPathComponent
    let own = "\(folder)/\(name)"
    let above = "\(folder)/../\(name)"
    return !FileManager.default.fileExists(atPath: own)
      && FileManager.default.fileExists(atPath: above) ? above : own
  }

  /// Reads the manifest when a path is a folder with one, or the manifest itself; else nil.
  public static func manifest(at path: String) throws -> Manifest? {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return nil }
    let name = URL(filePath: path).lastPathComponent
    guard isFolder.boolValue || name == manifestName else { return nil }
    let file = isFolder.boolValue ? "\(path)/\(manifestName)" : path
    guard FileManager.default.fileExists(atPath: file) else {
      throw UsageError(
        "no-manifest", at: path, "the folder holds no \(manifestName)",
        hint: "name a folder that `ditcache rewrite --form static` or `split` wrote",
        category: .inputOutput)
    }
    let manifest = try Manifest(json: try text(of: file))
    guard manifest.form != nil else {
      throw UsageError(
        "no-form", at: file, "the manifest says nothing of a form", category: .badModel)
    }
    return manifest
  }

  /// The error of asking a form of several files for its original.
  static func holdsNoOriginal(_ path: String, _ form: String, hint: String) -> UsageError {
    .unsupported(
      "form-holds-no-original", at: path,
      "a form '\(form)' is made of parts of a model and holds no original", hint: hint)
  }

  /// Refuses a folder where one model is needed.
  static func requireModel(_ path: String) throws {
    guard let form = try manifest(at: path)?.form else { return }
    throw UsageError.unsupported(
      "form-folder", at: path, "the form '\(form.kind.rawValue)' is several files",
      hint: "`ditcache run` and `sample` take it, and hosts such as examples/onnxruntime/host.py; "
        + "here, use the original or the form 'if'")
  }

  /// Bytes that a manifest may have; one with 10,000 sites has a tenth.
  static let maximumByteCount = 64 << 20

  private static func text(of path: String) throws -> String {
    let file = try InputFile(path: path)
    guard file.byteCount <= maximumByteCount else {
      throw UsageError(
        "manifest-limit", at: path, "the manifest has \(file.byteCount) bytes",
        category: .overLimit)
    }
    let storage = try file.map(at: 0, byteCount: file.byteCount)
    return String(
      decoding: UnsafeRawBufferPointer(start: storage.base, count: storage.byteCount), as: UTF8.self
    )
  }

  /// Writes the files of a form; the manifest comes last.
  static func write(_ files: FormGraphs, of model: OnnxModel, to folder: String, copying: Bool)
    throws
  {
    let existed = FileManager.default.fileExists(atPath: folder)
    try FolderPath.make(folder)
    do {
      try requireOurs(folder)
      var options = OnnxWriteOptions()
      options.copiesWeights = copying
      let parts = files.graphs.map { file in
        OnnxPart(
          fileName: file.fileName, graph: file.graph,
          metadata: [(partKey, partWord(of: files.manifest))])
      }
      try model.write(
        parts, text: (manifestName, try files.manifest.json() + "\n"), in: folder,
        options: options)
    } catch {
      if !existed { try? FileManager.default.removeItem(atPath: folder) }
      throw error
    }
  }

  /// Writes the files of a form into a hidden folder beside the one they are for, which goes again
  /// afterwards; weights are copied.
  static func withCopy<Result>(
    _ files: FormGraphs, of model: OnnxModel, beside folder: String,
    _ body: (String) throws -> Result
  ) throws -> Result {
    let url = URL(filePath: folder)
    let path = url.deletingLastPathComponent().appending(
      path: ".\(url.lastPathComponent).check-\(ProcessInfo.processInfo.processIdentifier)"
    ).path(percentEncoded: false)
    defer { try? FileManager.default.removeItem(atPath: path) }
    try write(files, of: model, to: path, copying: true)
    return try body(path)
  }

  /// Refuses to replace a manifest that somebody else wrote.
  private static func requireOurs(_ folder: String) throws {
    let path = "\(folder)/\(manifestName)"
    guard FileManager.default.fileExists(atPath: path) else { return }
    guard (try? manifest(at: folder)) != nil else {
      throw UsageError(
        "foreign-manifest", at: path, "a file of this name is there that ditcache did not write",
        hint: "choose another folder", category: .inputOutput)
    }
  }
}
