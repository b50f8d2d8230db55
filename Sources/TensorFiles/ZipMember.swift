import Tensors

/// One member of a zip archive, as the list at its end describes it.
struct ZipMember: Hashable, Sendable {
  var name: String
  var isDeflated: Bool
  var checksum: UInt32
  var compressedByteCount: Int
  var byteCount: Int
  var localOffset: Int
  /// Where the next member or the directory begins.
  var end: Int

  /// Replaces escaped 32-bit fields by those of the zip64 extra field; false when it is damaged.
  mutating func readExtra64(_ bytes: [UInt8], in range: Range<Int>) -> Bool {
    guard
      byteCount == ZipFormat.escaped32 || compressedByteCount == ZipFormat.escaped32
        || localOffset == ZipFormat.escaped32
    else { return true }
    var start = range.lowerBound
    while start + 4 <= range.upperBound {
      let identifier = bytes.uint16(at: start)
      var position = start + 4
      start = position + bytes.uint16(at: start + 2)
      guard start <= range.upperBound else { return false }
      guard identifier == ZipFormat.extra64 else { continue }
      for field in [\ZipMember.byteCount, \.compressedByteCount, \.localOffset]
      where self[keyPath: field] == ZipFormat.escaped32 {
        guard position + 8 <= start, let value = bytes.littleEndian(at: position, byteCount: 8)
        else { return false }
        self[keyPath: field] = value
        position += 8
      }
      return true
    }
    return false
  }

  /// The uncompressed bytes, after a look at the header that stands before them.
  func open(in file: InputFile, place: String) throws(TensorFileError) -> any ByteSource {
    let header = try reportingFileErrors { () throws(FileError) in
      try file.bytes(at: localOffset, count: ZipFormat.localByteCount + name.utf8.count)
    }
    let nameByteCount = header.uint16(at: 26)
    let dataOffset = localOffset + ZipFormat.localByteCount + nameByteCount + header.uint16(at: 28)
    guard header.uint32(at: 0) == ZipFormat.localSignature,
      nameByteCount == name.utf8.count,
      header[ZipFormat.localByteCount...].elementsEqual(name.utf8),
      header.uint16(at: 8) == (isDeflated ? ZipFormat.deflatedMethod : ZipFormat.storedMethod),
      dataOffset + compressedByteCount <= end
    else {
      throw TensorFileError(
        .malformed, at: place, "The header before the data contradicts the zip directory.")
    }
    let stored = FileBytes(file, offset: dataOffset, byteCount: compressedByteCount)
    let source: any ByteSource =
      isDeflated
      ? try InflatedBytes(stored, byteCount: byteCount, place: place) : stored
    return ChecksummedBytes(source, checksum: checksum, place: place)
  }
}
