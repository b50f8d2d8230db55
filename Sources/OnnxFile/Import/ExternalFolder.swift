import COnnxShim
import Glibc
import Tensors

/// The folder that external data of one model is read from.
///
/// A file must lie beneath the folder of the path that the user gave, or, when that path is a
/// link, beneath the folder of the model it leads to: caches link both the model and its weights
/// into one folder of blobs.
final class ExternalFolder: Sendable {
  let modelPath: String
  let modelIdentity: FileIdentity?
  let allowsHardLinks: Bool

  /// Whether files are mapped instead of read.
  let mapsFiles: Bool

  init(modelPath: String, modelIdentity: FileIdentity?, limits: OnnxLimits) {
    self.modelPath = modelPath
    self.modelIdentity = modelIdentity
    allowsHardLinks = limits.allowsHardLinks
    mapsFiles = limits.mapsWeights
  }

  /// The folder of the path as the user gave it.
  var path: String { Self.folder(of: modelPath) }

  /// Opens a file by a location whose text has been checked.
  func open(_ location: String) throws(OnnxFileError) -> InputFile {
    let path = path + "/" + location
    var descriptor = openBeneath(self.path, location, followsLinks: true)
    if descriptor < 0, errno == EXDEV { descriptor = openBesideResolvedModel(path) }
    guard descriptor >= 0 else { throw failure(opening: path, errno) }
    let file: InputFile
    do {
      file = try InputFile(adopting: descriptor, path: path)
    } catch {
      throw OnnxFileError(error)
    }
    guard file.identity != modelIdentity else {
      throw OnnxFileError(
        .externalDataLocation, at: path.escapedForTerminal,
        "The model names itself as its external data.")
    }
    guard file.linkCount <= 1 || allowsHardLinks else {
      throw OnnxFileError(
        .externalDataLocation, at: path.escapedForTerminal,
        "The external data file has \(file.linkCount) names (hard links), so it may belong to "
          + "another folder.", hint: "Copy the file, or pass --allow-hard-links.")
    }
    return file
  }

  private func openBeneath(_ folder: String, _ location: String, followsLinks: Bool) -> Int32 {
    let folder = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { return -1 }
    let descriptor = onnx_open_beneath(folder, location, followsLinks)
    let reason = errno
    close(folder)
    errno = reason
    return descriptor
  }

  private func openBesideResolvedModel(_ path: String) -> Int32 {
    guard let model = Self.resolved(modelPath), let target = Self.resolved(path) else { return -1 }
    let folder = Self.folder(of: model)
    guard target.hasPrefix(folder + "/") else {
      errno = EXDEV
      return -1
    }
    return openBeneath(
      folder, String(target.dropFirst(folder.count + 1)), followsLinks: false)
  }

  private func failure(opening path: String, _ number: Int32) -> OnnxFileError {
    switch number {
    case EXDEV, ELOOP:
      OnnxFileError(
        .externalDataLocation, at: path.escapedForTerminal,
        "The external data file is a link that leads out of the model's folder.")
    case ENOENT, ENOTDIR:
      OnnxFileError(
        .externalDataMissing, at: path.escapedForTerminal, "The external data file does not exist.",
        hint: "Put the weights beside the model, under the name the model gives.")
    default:
      OnnxFileError(
        .externalDataMissing, at: path.escapedForTerminal,
        "Cannot open the external data file: \(String(cString: strerror(number))).")
    }
  }

  private static func resolved(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  static func folder(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.utf8.startIndex ? "/" : String(path[..<slash])
  }
}
