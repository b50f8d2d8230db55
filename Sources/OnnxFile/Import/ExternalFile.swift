import Glibc
import Synchronization
import Tensors

/// One file of external data, opened whenever bytes of it are asked for.
///
/// Bytes are read into memory of their own, so that whoever shortens the file meanwhile causes an
/// error and no crash; only a caller who asked for it gets a mapping. No descriptor stays open, and
/// every opening must lead to the file of the first one. Bytes somebody still holds are not read
/// again.
final class ExternalFile: Sendable {
  let location: String
  private let folder: ExternalFolder
  private let randomSeed: UInt64?
  private let state = Mutex(State())

  private struct State: Sendable {
    var checksum: String?
    var isVerified = false
    var identity: FileIdentity?
    var byteCount = 0
    var mapping: TensorStorage?
    var held: [Range<Int>: Held] = [:]
  }

  private struct Held: Sendable {
    weak var storage: TensorStorage?
  }

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

  /// The path for messages.
  var place: String { "\(folder.path)/\(location)".escapedForTerminal }

  /// Notes what the model says the SHA-1 of the file is; false when it said something else before.
  func expect(checksum: String) -> Bool {
    state.withLock { state in
      guard let known = state.checksum else {
        state.checksum = checksum
        return true
      }
      return known == checksum
    }
  }

  /// The bytes of a range, and where they begin in the storage.
  func bytes(of range: Range<Int>) throws(OnnxFileError) -> (storage: TensorStorage, start: Int) {
    let result: Result<(storage: TensorStorage, start: Int), OnnxFileError> = state.withLock {
      state in
      do throws(OnnxFileError) {
        return .success(
          folder.mapsFiles
            ? (try mapping(reaching: range.upperBound, &state), range.lowerBound)
            : (try copy(of: range, &state), 0))
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

  /// Hands all bytes to `body`, a piece at a time.
  func forEachPiece(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    try Self.forEachPiece(of: try folder.open(location), body)
  }

  private func copy(
    of range: Range<Int>, _ state: inout State
  ) throws(OnnxFileError) -> TensorStorage {
    if let storage = state.held[range]?.storage { return storage }
    let file = try open(reaching: range.upperBound, &state)
    let storage = try reading { () throws(FileError) in
      try file.read(at: range.lowerBound, byteCount: range.count)
    }
    state.held[range] = Held(storage: storage)
    return storage
  }

  private func mapping(
    reaching end: Int, _ state: inout State
  ) throws(OnnxFileError) -> TensorStorage {
    if let mapping = state.mapping {
      guard end <= mapping.byteCount else { throw short(byteCount: mapping.byteCount, end: end) }
      return mapping
    }
    let file = try open(reaching: end, &state)
    let storage = try reading { () throws(FileError) in
      try file.map(at: 0, byteCount: file.byteCount)
    }
    state.mapping = storage
    return storage
  }

  private func open(reaching end: Int, _ state: inout State) throws(OnnxFileError) -> InputFile {
    let file = try folder.open(location)
    if let identity = state.identity {
      guard identity == file.identity, state.byteCount == file.byteCount else {
        throw OnnxFileError(
          .file(.readFailed), at: place, "The external data file changed while it was read.")
      }
    }
    guard file.byteCount >= end else { throw short(byteCount: file.byteCount, end: end) }
    state.identity = file.identity
    state.byteCount = file.byteCount
    try verify(file, &state)
    return file
  }

  private func verify(_ file: InputFile, _ state: inout State) throws(OnnxFileError) {
    guard let checksum = state.checksum, !state.isVerified else { return }
    let digest = Digest(.sha1)
    try reported(place) {
      try Self.forEachPiece(of: file) { digest.update($0) }
    }
    let actual = digest.finish()
    guard actual == checksum else {
      throw OnnxFileError(
        .externalDataChecksum, at: place,
        "The external data file has the SHA-1 \(actual), the model expects \(checksum).",
        hint: "The file is damaged or belongs to another model.")
    }
    state.isVerified = true
  }

  private func short(byteCount: Int, end: Int) -> OnnxFileError {
    OnnxFileError(
      .externalDataShort, at: place,
      "The external data file has \(byteCount) bytes, the model reads up to byte \(end).",
      hint: "The file is incomplete or belongs to another model.")
  }

  private func reading<Value>(
    _ body: () throws(FileError) -> Value
  ) throws(OnnxFileError) -> Value {
    do { return try body() } catch { throw OnnxFileError(error) }
  }

  private static let pieceByteCount = 1 << 20

  private static func forEachPiece(
    of file: InputFile, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let piece = TensorStorage(byteCount: min(pieceByteCount, file.byteCount))
    var offset = 0
    while offset < file.byteCount {
      let count = min(pieceByteCount, file.byteCount - offset)
      let buffer = UnsafeMutableRawBufferPointer(start: piece.base, count: count)
      try file.read(into: buffer, at: offset)
      try body(UnsafeRawBufferPointer(buffer))
      offset += count
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

  /// The file of a record, from now on required to have `end` bytes.
  mutating func file(
    of record: ExternalRecord, end: Int, place: String
  ) throws(OnnxFileError) -> ExternalFile {
    let position: Int
    if let known = positions[record.location] {
      position = known
    } else {
      position = files.count
      positions[record.location] = position
      files.append(
        ExternalFile(location: record.location, folder: folder, randomSeed: randomSeed))
      ends.append(0)
    }
    ends[position] = max(ends[position], end)
    if let checksum = record.checksum, !files[position].expect(checksum: checksum) {
      throw OnnxFileError(
        .externalDataRecord, at: place,
        "Two tensors expect different checksums of '\(record.location.escapedForTerminal)'.")
    }
    return files[position]
  }
}
