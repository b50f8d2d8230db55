public import Tensors

/// How the members of a written .npz archive are stored.
public enum NPZCompression: Hashable, Sendable {
  /// As they are, as `numpy.savez` does.
  case stored
  /// With deflate, as `numpy.savez_compressed` does.
  case deflated
}

/// A NumPy .npz archive opened for reading.
///
/// Opening reads and checks the list of members and the header of each array; elements are read
/// when asked for. Members are stored or deflated, with 32- or 64-bit sizes. Their names are keys,
/// never paths, and may hold slashes. Every problem that can be seen without the elements is
/// reported on opening, and checksums when a tensor is read.
public struct NPZFile: Sendable {
  /// The arrays in file order, named without `.npy`.
  public let entries: [TensorEntry]

  private let file: InputFile
  private let members: [ZipMember]
  private let layouts: [NPYLayout]
  private let indices: [[UInt8]: Int]
  private let limits: TensorFileLimits

  private static let suffix = ".npy"

  /// Opens an archive.
  public init(
    readingFrom path: String, limits: TensorFileLimits = TensorFileLimits()
  ) throws(TensorFileError) {
    file = try reportingFileErrors { () throws(FileError) in try InputFile(path: path) }
    self.limits = limits
    let place = path.escapedForTerminal
    members = try ZipDirectory(of: file, limits: limits, place: place).members
    var layouts: [NPYLayout] = []
    var indices: [[UInt8]: Int] = [:]
    for (index, member) in members.enumerated() {
      guard member.name.hasSuffix(NPZFile.suffix) else {
        throw TensorFileError(
          .malformed, at: place,
          "The member '\(member.name.escapedForTerminal)' is not a .npy array.")
      }
      let key = String(member.name.dropLast(NPZFile.suffix.count))
      let memberPlace = NPZFile.place(of: key, in: file)
      let source = try member.open(in: file, place: memberPlace)
      layouts.append(
        try NPYLayout(readingFrom: source, name: key, limits: limits, place: memberPlace))
      indices[Array(key.utf8)] = index
    }
    self.layouts = layouts
    self.indices = indices
    entries = layouts.map(\.entry)
  }

  /// The names in file order.
  public var keys: [String] { entries.map(\.name) }

  /// Which file this is, so that an output does not replace it.
  public var identity: FileIdentity { file.identity }

  /// What the archive says about one array; nil when there is none of that name.
  public func entry(_ key: String) -> TensorEntry? {
    indices[Array(key.utf8)].map { entries[$0] }
  }

  /// Reads one array, in row-major order.
  public func tensor(_ key: String) throws(TensorFileError) -> Tensor {
    guard let index = indices[Array(key.utf8)] else {
      let names = keys.map { "'\($0.escapedForTerminal)'" }.joined(separator: ", ")
      throw TensorFileError(
        .missingTensor, at: file.path.escapedForTerminal,
        "There is no array '\(key.escapedForTerminal)'.", hint: "The archive holds \(names).")
    }
    let place = NPZFile.place(of: key, in: file)
    let source = try members[index].open(in: file, place: place)
    let layout = try NPYLayout(readingFrom: source, name: key, limits: limits, place: place)
    guard layout == layouts[index] else {
      throw TensorFileError(.malformed, at: place, "The array changed while the file was open.")
    }
    return try layout.tensor(from: source, place: place)
  }

  /// Writes arrays durably under distinct names; the same arrays always give the same bytes.
  ///
  /// Stored archives are byte for byte what `numpy.savez` writes. `inputs` are files that must not
  /// be replaced.
  public static func write(
    _ tensors: [(name: String, tensor: Tensor)], to path: String,
    compression: NPZCompression = .stored, inputs: Set<FileIdentity> = []
  ) throws(TensorFileError) {
    let place = path.escapedForTerminal
    var seen: Set<[UInt8]> = []
    for (name, _) in tensors where !seen.insert(Array(name.utf8)).inserted {
      throw TensorFileError(
        .duplicateKey, at: place, "Two arrays are named '\(name.escapedForTerminal)'.")
    }
    let file = try reportingFileErrors { () throws(FileError) in
      try DurableFile(replacing: path, inputs: inputs)
    }
    var archive = ZipWriter(to: file, place: place)
    for (name, tensor) in tensors {
      let dense = tensor.contiguous()
      let header = try NPYHeader.bytes(
        dataType: tensor.dataType, shape: tensor.shape,
        place: "\(place), array '\(name.escapedForTerminal)'")
      try archive.add(
        name + suffix, header: header, body: dense.denseBytes, compression: compression)
    }
    try archive.finish()
  }

  private static func place(of key: String, in file: InputFile) -> String {
    "\(file.path.escapedForTerminal), array '\(key.escapedForTerminal)'"
  }
}
