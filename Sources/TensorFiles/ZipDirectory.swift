import Tensors

/// The list of members at the end of a zip archive.
///
/// Stricter than the format: the archive starts at byte 0, the list ends where its end record
/// starts, and members neither overlap nor repeat a name. Whatever passes can be read without
/// reading a byte twice.
struct ZipDirectory {
  private(set) var members: [ZipMember] = []

  private let file: InputFile
  private let place: String
  private let limits: TensorFileLimits

  /// Where the list lies.
  private struct Extent {
    var offset: Int
    var byteCount: Int
    var memberCount: Int
    /// Where the list must end.
    var end: Int
  }

  /// Reads and checks the list; nothing else is read.
  init(of file: InputFile, limits: TensorFileLimits, place: String) throws(TensorFileError) {
    self.file = file
    self.limits = limits
    self.place = place
    let extent = try findExtent()
    guard extent.memberCount <= limits.tensorCount else {
      throw overLimit("members", extent.memberCount, limits.tensorCount)
    }
    guard extent.byteCount <= limits.zipDirectoryByteCount else {
      throw overLimit("bytes of directory", extent.byteCount, limits.zipDirectoryByteCount)
    }
    let (end, overflow) = extent.offset.addingReportingOverflow(extent.byteCount)
    guard !overflow, end == extent.end else {
      throw malformed("The zip directory does not lie where its end record says.")
    }
    let bytes = try read(at: extent.offset, count: extent.byteCount)
    var position = 0
    for _ in 0..<extent.memberCount {
      members.append(try parseMember(bytes, at: &position))
    }
    guard position == bytes.count else {
      throw malformed("The zip directory holds more than its \(extent.memberCount) members.")
    }
    try checkNames()
    try setEnds(before: extent.offset)
  }

  private func findExtent() throws(TensorFileError) -> Extent {
    let tailByteCount = min(file.byteCount, ZipFormat.endByteCount + 0xFFFF)
    let tail = try read(at: file.byteCount - tailByteCount, count: tailByteCount)
    var position = tail.count - ZipFormat.endByteCount
    while position >= 0 {
      if tail.uint32(at: position) == ZipFormat.endSignature,
        position + ZipFormat.endByteCount + tail.uint16(at: position + 20) == tail.count
      {
        break
      }
      position -= 1
    }
    guard position >= 0 else {
      throw malformed("This is not a zip archive, or its end is missing.")
    }
    let endOffset = file.byteCount - tailByteCount + position
    let memberCount = tail.uint16(at: position + 10)
    let byteCount = tail.uint32(at: position + 12)
    let offset = tail.uint32(at: position + 16)
    guard tail.uint16(at: position + 4) == 0, tail.uint16(at: position + 6) == 0,
      tail.uint16(at: position + 8) == memberCount
    else {
      throw TensorFileError(.unsupported, at: place, "The zip archive has several volumes.")
    }
    let extent = Extent(
      offset: offset, byteCount: byteCount, memberCount: memberCount, end: endOffset)
    let isEscaped =
      memberCount == ZipFormat.escaped16 || byteCount == ZipFormat.escaped32
      || offset == ZipFormat.escaped32
    guard isEscaped || offset + byteCount != endOffset else { return extent }
    return try findExtent64(before: endOffset) ?? extent
  }

  /// What the zip64 record says; nil when there is none.
  ///
  /// Python writes one from 2 GiB on, where the older fields still hold their values.
  private func findExtent64(before endOffset: Int) throws(TensorFileError) -> Extent? {
    let recordOffset = endOffset - ZipFormat.end64ByteCount - ZipFormat.locator64ByteCount
    guard recordOffset >= 0 else { return nil }
    let records = try read(at: recordOffset, count: endOffset - recordOffset)
    let locator = ZipFormat.end64ByteCount
    guard records.uint32(at: locator) == ZipFormat.locator64Signature else { return nil }
    guard records.uint32(at: 0) == ZipFormat.end64Signature,
      records.littleEndian(at: locator + 8, byteCount: 8) == recordOffset,
      let memberCount = records.littleEndian(at: 32, byteCount: 8),
      records.littleEndian(at: 24, byteCount: 8) == memberCount,
      let byteCount = records.littleEndian(at: 40, byteCount: 8),
      let offset = records.littleEndian(at: 48, byteCount: 8)
    else {
      throw malformed("The zip64 record is damaged.")
    }
    return Extent(
      offset: offset, byteCount: byteCount, memberCount: memberCount, end: recordOffset)
  }

  private func parseMember(
    _ bytes: [UInt8], at position: inout Int
  ) throws(TensorFileError) -> ZipMember {
    let start = position
    guard start + ZipFormat.centralByteCount <= bytes.count,
      bytes.uint32(at: start) == ZipFormat.centralSignature
    else {
      throw malformed("The zip directory is damaged at member \(members.count).")
    }
    let nameStart = start + ZipFormat.centralByteCount
    let extraStart = nameStart + bytes.uint16(at: start + 28)
    let extraEnd = extraStart + bytes.uint16(at: start + 30)
    position = extraEnd + bytes.uint16(at: start + 32)
    guard position <= bytes.count,
      let name = String(validating: bytes[nameStart..<extraStart], as: UTF8.self)
    else {
      throw malformed("The name of member \(members.count) is not UTF-8, or too long.")
    }
    let shown = "'\(name.escapedForTerminal)'"
    guard bytes.uint16(at: start + 8) & ZipFormat.encryptedFlag == 0 else {
      throw TensorFileError(.unsupported, at: place, "The member \(shown) is encrypted.")
    }
    let method = bytes.uint16(at: start + 10)
    guard method == ZipFormat.storedMethod || method == ZipFormat.deflatedMethod else {
      throw TensorFileError(
        .unsupported, at: place, "The member \(shown) has the compression method \(method).",
        hint: "Write it with numpy.savez or numpy.savez_compressed.")
    }
    var member = ZipMember(
      name: name, isDeflated: method == ZipFormat.deflatedMethod,
      checksum: UInt32(bytes.uint32(at: start + 16)),
      compressedByteCount: bytes.uint32(at: start + 20), byteCount: bytes.uint32(at: start + 24),
      localOffset: bytes.uint32(at: start + 42), end: 0)
    guard member.readExtra64(bytes, in: extraStart..<extraEnd) else {
      throw malformed("The sizes of \(shown) are damaged.")
    }
    try check(member, shown: shown)
    return member
  }

  private func check(_ member: ZipMember, shown: String) throws(TensorFileError) {
    guard !member.name.split(separator: "/").contains("..") else {
      throw malformed("The name \(shown) climbs out of the archive.")
    }
    let (greatest, overflow) = member.compressedByteCount.multipliedReportingOverflow(
      by: ZipFormat.greatestDeflateRatio)
    let fits =
      member.isDeflated
      ? overflow || member.byteCount <= greatest
      : member.byteCount == member.compressedByteCount
    guard fits else {
      throw malformed(
        "The member \(shown) cannot hold \(member.byteCount) bytes in "
          + "\(member.compressedByteCount).")
    }
  }

  private func checkNames() throws(TensorFileError) {
    var seen: Set<[UInt8]> = []
    for member in members where !seen.insert(Array(member.name.utf8)).inserted {
      throw TensorFileError(
        .duplicateKey, at: place,
        "The archive holds '\(member.name.escapedForTerminal)' twice.")
    }
  }

  private mutating func setEnds(before directoryOffset: Int) throws(TensorFileError) {
    var end = directoryOffset
    for index in members.indices.sorted(by: { members[$0].localOffset > members[$1].localOffset }) {
      let member = members[index]
      let headerByteCount = ZipFormat.localByteCount + member.name.utf8.count
      let (byteCount, overflow) = headerByteCount.addingReportingOverflow(
        member.compressedByteCount)
      guard !overflow, member.localOffset <= end, byteCount <= end - member.localOffset else {
        throw malformed(
          "The member '\(member.name.escapedForTerminal)' runs into what follows it.")
      }
      members[index].end = end
      end = member.localOffset
    }
    guard end == 0 else { throw malformed("\(end) bytes stand before the first zip member.") }
  }

  private func read(at offset: Int, count: Int) throws(TensorFileError) -> [UInt8] {
    try reportingFileErrors { () throws(FileError) in try file.bytes(at: offset, count: count) }
  }

  private func malformed(_ message: String) -> TensorFileError {
    TensorFileError(.malformed, at: place, message)
  }

  private func overLimit(_ what: String, _ count: Int, _ limit: Int) -> TensorFileError {
    TensorFileError(
      .overLimit, at: place, "The archive has \(count) \(what); the limit is \(limit).")
  }
}
