public import Tensors

/// A .safetensors file opened for reading.
///
/// The header is checked by the reference implementation's rules before anything else is read:
/// tensors fill the data without gap or overlap, and no name is given twice. Types that `DataType`
/// lacks are refused by name.
public struct SafetensorsFile: Sendable {
  /// The tensors in the order of the header.
  public let entries: [TensorEntry]

  /// The text pairs of `__metadata__`, in file order.
  public let metadata: [(key: String, value: String)]

  private let file: InputFile
  private let dataOffset: Int
  private let ranges: [Range<Int>]
  private let indices: [[UInt8]: Int]

  private static let lengthByteCount = 8

  /// Opens a file.
  public init(
    readingFrom path: String, limits: TensorFileLimits = TensorFileLimits()
  ) throws(TensorFileError) {
    file = try reportingFileErrors { () throws(FileError) in try InputFile(path: path) }
    let place = path.escapedForTerminal
    let source = FileBytes(file, offset: 0, byteCount: file.byteCount)
    let prefix = try source.bytes(
      SafetensorsFile.lengthByteCount, of: "The header length", place: place)
    guard let length = prefix.littleEndian(at: 0, byteCount: prefix.count),
      length <= limits.safetensorsHeaderByteCount
    else {
      throw TensorFileError(
        .malformed, at: place,
        "The header length is over \(limits.safetensorsHeaderByteCount) bytes.",
        hint: "This does not look like a .safetensors file.")
    }
    let text = try source.bytes(length, of: "The header", place: place)
    let header = try SafetensorsHeader(
      parsing: text, dataByteCount: source.remaining, limits: limits, place: place)
    dataOffset = prefix.count + length
    entries = header.members.map(\.entry)
    ranges = header.members.map(\.range)
    metadata = header.metadata
    indices = Dictionary(
      uniqueKeysWithValues: entries.enumerated().map { (Array($1.name.utf8), $0) })
  }

  /// The names in the order of the header.
  public var keys: [String] { entries.map(\.name) }

  /// Which file this is, so that an output does not replace it.
  public var identity: FileIdentity { file.identity }

  /// What the header says about one tensor; nil when there is none of that name.
  public func entry(_ key: String) -> TensorEntry? {
    indices[Array(key.utf8)].map { entries[$0] }
  }

  /// Reads one tensor.
  public func tensor(_ key: String) throws(TensorFileError) -> Tensor {
    guard let index = indices[Array(key.utf8)] else {
      throw TensorFileError(
        .missingTensor, at: file.path.escapedForTerminal,
        "There is no tensor '\(key.escapedForTerminal)'.")
    }
    let tensor = try entries[index].makeTensor(place: file.path.escapedForTerminal)
    let offset = dataOffset + ranges[index].lowerBound
    try reportingFileErrors { () throws(FileError) in
      try file.read(into: tensor.mutableDenseBytes, at: offset)
    }
    tensor.normalizeBooleans()
    return tensor
  }

  /// Writes tensors durably under distinct names; the same tensors always give the same bytes.
  ///
  /// Wide types come first, then names in byte order, so that all elements are aligned. `inputs`
  /// are files that must not be replaced.
  public static func write(
    _ tensors: [(name: String, tensor: Tensor)], metadata: [(key: String, value: String)] = [],
    to path: String, inputs: Set<FileIdentity> = []
  ) throws(TensorFileError) {
    let place = path.escapedForTerminal
    var seen: Set<[UInt8]> = [Array("__metadata__".utf8)]
    for (name, _) in tensors where !seen.insert(Array(name.utf8)).inserted {
      throw TensorFileError(
        .duplicateKey, at: place,
        "The name '\(name.escapedForTerminal)' is taken.")
    }
    let ordered = tensors.sorted {
      let (a, b) = ($0.tensor.dataType.byteCount, $1.tensor.dataType.byteCount)
      return a == b ? $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) : a > b
    }
    let header = try SafetensorsHeader.bytes(ordered, metadata: metadata, place: place)
    try reportingFileErrors { () throws(FileError) in
      var file = try DurableFile(replacing: path, inputs: inputs)
      try file.write(header)
      for (_, tensor) in ordered { try file.write(tensor.contiguous().denseBytes) }
      try file.commit()
    }
  }
}
