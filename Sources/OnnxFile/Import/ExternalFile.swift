import COnnxShim
import Glibc
import Synchronization
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

  init(modelPath: String, modelIdentity: FileIdentity?, allowsHardLinks: Bool) {
    self.modelPath = modelPath
    self.modelIdentity = modelIdentity
    self.allowsHardLinks = allowsHardLinks
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
          + "another folder.", hint: "Copy the file.")
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

/// One file of external data, opened and mapped when its first tensor is asked for.
final class ExternalFile: Sendable {
  let location: String
  private let folder: ExternalFolder
  private let randomSeed: UInt64?
  private let mapping = Mutex<TensorStorage?>(nil)

  init(location: String, folder: ExternalFolder, randomSeed: UInt64? = nil) {
    self.location = location
    self.folder = folder
    self.randomSeed = randomSeed
  }

  /// The seed of the random elements that stand in for the file; nil when the file is to be read.
  var substituteSeed: UInt64? { isAbsent ? randomSeed : nil }

  /// True when no file of that name exists.
  var isAbsent: Bool {
    access("\(folder.path)/\(location)", F_OK) != 0 && errno == ENOENT
  }

  /// All bytes of the file, mapped.
  func bytes() throws(OnnxFileError) -> TensorStorage {
    let result: Result<TensorStorage, OnnxFileError> = mapping.withLock { mapping in
      if let mapping { return .success(mapping) }
      do throws(OnnxFileError) {
        let storage = try map()
        mapping = storage
        return .success(storage)
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  /// Checks that the file is there and reaches to `end`, reading nothing.
  func require(end: Int) throws(OnnxFileError) {
    guard substituteSeed == nil else { return }
    let file = try folder.open(location)
    guard file.byteCount >= end else { throw short(byteCount: file.byteCount, end: end) }
  }

  func short(byteCount: Int, end: Int) -> OnnxFileError {
    OnnxFileError(
      .externalDataShort, at: "\(folder.path)/\(location)".escapedForTerminal,
      "The external data file has \(byteCount) bytes, the model reads up to byte \(end).",
      hint: "The file is incomplete or belongs to another model.")
  }

  private func map() throws(OnnxFileError) -> TensorStorage {
    let file = try folder.open(location)
    do {
      return try file.map(at: 0, byteCount: file.byteCount)
    } catch {
      throw OnnxFileError(error)
    }
  }
}

/// The external files of a model, each once.
struct ExternalFiles {
  let folder: ExternalFolder
  private(set) var files: [ExternalFile] = []
  private(set) var ends: [Int] = []

  /// True when attributes, not only initializers, have external data.
  var areUsedByAttributes = false

  private var positions: [String: Int] = [:]
  private let randomSeed: UInt64?

  init(folder: ExternalFolder, randomSeed: UInt64? = nil) {
    self.folder = folder
    self.randomSeed = randomSeed
  }

  /// The file at a location, from now on required to have `end` bytes.
  mutating func file(at location: String, end: Int) -> ExternalFile {
    let position: Int
    if let known = positions[location] {
      position = known
    } else {
      position = files.count
      positions[location] = position
      files.append(ExternalFile(location: location, folder: folder, randomSeed: randomSeed))
      ends.append(0)
    }
    ends[position] = max(ends[position], end)
    return files[position]
  }
}
