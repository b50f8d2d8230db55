import CZlib
import Tensors

/// Writes a zip archive front to back, laid out as Python's `zipfile` lays out NumPy's archives:
/// dated 1980-01-01, 64-bit sizes before each member.
struct ZipWriter: ~Copyable {
  private var file: DurableFile
  private var directory: [UInt8] = []
  private var memberCount = 0
  private let place: String

  /// From this size on, Python writes sizes to the zip64 field of the directory.
  private static let greatest32 = Int(Int32.max)
  private static let greatest16 = 0xFFFF
  private static let zip64Version: UInt16 = 45
  private static let unixVersion: UInt16 = 3 << 8 | zip64Version
  /// 1980-01-01, the first day zip can express.
  private static let firstDay: UInt16 = 1 << 5 | 1
  /// Mode 0600 in the upper half, as on Unix.
  private static let attributes: UInt32 = 0o600 << 16

  init(to file: consuming DurableFile, place: String) {
    self.file = file
    self.place = place
  }

  /// Appends a member made of `header` followed by `body`.
  mutating func add(
    _ name: String, header: [UInt8], body: UnsafeRawBufferPointer, compression: NPZCompression
  ) throws(TensorFileError) {
    guard name.utf8.count <= ZipWriter.greatest16 else {
      throw TensorFileError(.overLimit, at: place, "A name has \(name.utf8.count) bytes.")
    }
    var checksum = crc32_z(0, header, header.count)
    if let base = body.baseAddress, !body.isEmpty {
      checksum = crc32_z(checksum, base.assumingMemoryBound(to: UInt8.self), body.count)
    }
    let byteCount = header.count + body.count
    let deflated =
      compression == .deflated
      ? try Deflate.bytes(of: header, followedBy: body, place: place) : nil
    let offset = file.byteCount
    let member = fields(
      name, method: deflated == nil ? ZipFormat.storedMethod : ZipFormat.deflatedMethod,
      checksum: UInt32(truncatingIfNeeded: checksum), byteCount: byteCount,
      compressedByteCount: deflated?.count ?? byteCount)
    try reportingFileErrors { () throws(FileError) in
      try file.write(member.local)
      if let deflated {
        try file.write(deflated)
      } else {
        try file.write(header)
        try file.write(body)
      }
    }
    appendDirectoryEntry(member, name: name, offset: offset)
    memberCount += 1
  }

  /// Writes the directory and publishes the file.
  consuming func finish() throws(TensorFileError) {
    let end = endRecords()
    try reportingFileErrors { () throws(FileError) in
      try file.write(directory)
      try file.write(end)
    }
    do throws(FileError) { try file.commit() } catch { throw TensorFileError(error) }
  }

  /// What both headers of a member say.
  private struct Fields {
    var common: [UInt8]
    var byteCount: Int
    var compressedByteCount: Int
    var local: [UInt8]
  }

  private func fields(
    _ name: String, method: Int, checksum: UInt32, byteCount: Int, compressedByteCount: Int
  ) -> Fields {
    var common: [UInt8] = []
    let isASCII = name.utf8.allSatisfy { $0 < 0x80 }
    common.append(littleEndian: ZipWriter.zip64Version)
    common.append(littleEndian: UInt16(isASCII ? 0 : ZipFormat.utf8Flag))
    common.append(littleEndian: UInt16(method))
    common.append(littleEndian: UInt16(0))
    common.append(littleEndian: ZipWriter.firstDay)
    common.append(littleEndian: checksum)
    var local: [UInt8] = []
    local.append(littleEndian: UInt32(ZipFormat.localSignature))
    local += common
    local.append(littleEndian: UInt32(ZipFormat.escaped32))
    local.append(littleEndian: UInt32(ZipFormat.escaped32))
    local.append(littleEndian: UInt16(name.utf8.count))
    let extra = ZipWriter.extra64([byteCount, compressedByteCount])
    local.append(littleEndian: UInt16(extra.count))
    local += Array(name.utf8) + extra
    return Fields(
      common: common, byteCount: byteCount, compressedByteCount: compressedByteCount, local: local)
  }

  private mutating func appendDirectoryEntry(_ member: Fields, name: String, offset: Int) {
    var wide: [Int] = []
    let isLarge = max(member.byteCount, member.compressedByteCount) > ZipWriter.greatest32
    if isLarge { wide += [member.byteCount, member.compressedByteCount] }
    let isFar = offset > ZipWriter.greatest32
    if isFar { wide.append(offset) }
    let extra = wide.isEmpty ? [] : ZipWriter.extra64(wide)
    func field(_ value: Int, isEscaped: Bool) -> UInt32 {
      UInt32(isEscaped ? ZipFormat.escaped32 : value)
    }
    directory.append(littleEndian: UInt32(ZipFormat.centralSignature))
    directory.append(littleEndian: ZipWriter.unixVersion)
    directory += member.common
    directory.append(littleEndian: field(member.compressedByteCount, isEscaped: isLarge))
    directory.append(littleEndian: field(member.byteCount, isEscaped: isLarge))
    directory.append(littleEndian: UInt16(name.utf8.count))
    directory.append(littleEndian: UInt16(extra.count))
    for _ in 0..<3 { directory.append(littleEndian: UInt16(0)) }
    directory.append(littleEndian: ZipWriter.attributes)
    directory.append(littleEndian: field(offset, isEscaped: isFar))
    directory += Array(name.utf8) + extra
  }

  private func endRecords() -> [UInt8] {
    let offset = file.byteCount
    var bytes: [UInt8] = []
    let isWide =
      memberCount > ZipWriter.greatest16 || offset > ZipWriter.greatest32
      || directory.count > ZipWriter.greatest32
    if isWide {
      bytes.append(littleEndian: UInt32(ZipFormat.end64Signature))
      bytes.append(littleEndian: UInt64(ZipFormat.end64ByteCount - 12))
      bytes.append(littleEndian: ZipWriter.zip64Version)
      bytes.append(littleEndian: ZipWriter.zip64Version)
      for _ in 0..<2 { bytes.append(littleEndian: UInt32(0)) }
      for number in [memberCount, memberCount, directory.count, offset] {
        bytes.append(littleEndian: UInt64(number))
      }
      bytes.append(littleEndian: UInt32(ZipFormat.locator64Signature))
      bytes.append(littleEndian: UInt32(0))
      bytes.append(littleEndian: UInt64(offset + directory.count))
      bytes.append(littleEndian: UInt32(1))
    }
    bytes.append(littleEndian: UInt32(ZipFormat.endSignature))
    for _ in 0..<2 { bytes.append(littleEndian: UInt16(0)) }
    let shownCount = min(memberCount, ZipFormat.escaped16)
    for _ in 0..<2 { bytes.append(littleEndian: UInt16(shownCount)) }
    bytes.append(littleEndian: UInt32(min(directory.count, ZipFormat.escaped32)))
    bytes.append(littleEndian: UInt32(min(offset, ZipFormat.escaped32)))
    bytes.append(littleEndian: UInt16(0))
    return bytes
  }

  private static func extra64(_ numbers: [Int]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(littleEndian: UInt16(ZipFormat.extra64))
    bytes.append(littleEndian: UInt16(8 * numbers.count))
    for number in numbers { bytes.append(littleEndian: UInt64(number)) }
    return bytes
  }
}
