import CZlib
import Tensors

/// Bytes that arrive in order, of known number.
protocol ByteSource: AnyObject {
  /// Bytes not read yet.
  var remaining: Int { get }

  /// Fills the buffer, which holds at most `remaining` bytes.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(TensorFileError)

  /// Checks, after the last byte, whatever can only be checked then.
  func finish() throws(TensorFileError)
}

extension ByteSource {
  /// The next `count` bytes, or an error that says what they were for.
  func bytes(_ count: Int, of what: String, place: String) throws(TensorFileError) -> [UInt8] {
    guard count <= remaining else {
      throw TensorFileError(
        .truncated, at: place, "\(what) needs \(count) bytes, but \(remaining) are left.")
    }
    var bytes = [UInt8](repeating: 0, count: count)
    var failure: TensorFileError?
    bytes.withUnsafeMutableBytes { buffer in
      do throws(TensorFileError) { try read(into: buffer) } catch { failure = error }
    }
    if let failure { throw failure }
    return bytes
  }
}

/// A range of a file.
final class FileBytes: ByteSource {
  private let file: InputFile
  private var offset: Int
  private(set) var remaining: Int

  /// The range must lie inside the file.
  init(_ file: InputFile, offset: Int, byteCount: Int) {
    self.file = file
    self.offset = offset
    remaining = byteCount
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(TensorFileError) {
    try reportingFileErrors { () throws(FileError) in try file.read(into: buffer, at: offset) }
    offset += buffer.count
    remaining -= buffer.count
  }

  func finish() {}
}

/// A raw deflate stream (RFC 1951), inflated as it is read.
final class InflatedBytes: ByteSource {
  private static let chunkByteCount = 1 << 16

  private let source: FileBytes
  private let place: String
  private let stream: UnsafeMutablePointer<z_stream>
  private let chunk: UnsafeMutableRawBufferPointer
  private var isAtEnd = false
  private(set) var remaining: Int

  /// `byteCount` is what the stream must inflate to.
  init(_ source: FileBytes, byteCount: Int, place: String) throws(TensorFileError) {
    self.source = source
    self.place = place
    remaining = byteCount
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    chunk = .allocate(byteCount: InflatedBytes.chunkByteCount, alignment: 16)
    guard
      inflateInit2_(stream, -MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else {
      throw TensorFileError(.unsupported, at: place, "zlib could not be started.")
    }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
    chunk.deallocate()
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(TensorFileError) {
    let count = try inflate(into: buffer)
    guard count == buffer.count else {
      throw TensorFileError(.truncated, at: place, "The compressed data ends early.")
    }
    remaining -= count
  }

  /// The stream must end here, and its compressed bytes too.
  func finish() throws(TensorFileError) {
    var spare: UInt8 = 0
    var failure: TensorFileError?
    let surplus = withUnsafeMutableBytes(of: &spare) { buffer in
      do throws(TensorFileError) { return try inflate(into: buffer) } catch { failure = error }
      return 0
    }
    if let failure { throw failure }
    guard surplus == 0, isAtEnd, stream.pointee.avail_in == 0, source.remaining == 0 else {
      throw TensorFileError(
        .malformed, at: place, "The compressed data goes on after the announced size.")
    }
  }

  /// Inflates until the buffer is full or the stream ends; the number of bytes written.
  private func inflate(into buffer: UnsafeMutableRawBufferPointer) throws(TensorFileError) -> Int {
    var done = 0
    while done < buffer.count, !isAtEnd {
      if stream.pointee.avail_in == 0 {
        let count = min(source.remaining, chunk.count)
        guard count > 0 else { return done }
        try source.read(into: UnsafeMutableRawBufferPointer(rebasing: chunk[..<count]))
        stream.pointee.next_in = chunk.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_in = UInt32(count)
      }
      let room = min(buffer.count - done, Int(Int32.max))
      let target = buffer.baseAddress.map { $0 + done }
      stream.pointee.next_out = target?.assumingMemoryBound(to: UInt8.self)
      stream.pointee.avail_out = UInt32(room)
      let status = CZlib.inflate(stream, Z_NO_FLUSH)
      done += room - Int(stream.pointee.avail_out)
      switch status {
      case Z_OK, Z_BUF_ERROR: continue
      case Z_STREAM_END: isAtEnd = true
      default:
        throw TensorFileError(.malformed, at: place, "The compressed data is damaged.")
      }
    }
    return done
  }
}

/// Bytes whose CRC-32 is compared at the end.
final class ChecksummedBytes: ByteSource {
  private let source: any ByteSource
  private let expected: UInt32
  private let place: String
  private var checksum: UInt = 0

  init(_ source: any ByteSource, checksum: UInt32, place: String) {
    self.source = source
    self.place = place
    expected = checksum
  }

  var remaining: Int { source.remaining }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(TensorFileError) {
    try source.read(into: buffer)
    let bytes = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
    if buffer.count > 0 { checksum = crc32_z(checksum, bytes, buffer.count) }
  }

  func finish() throws(TensorFileError) {
    try source.finish()
    guard UInt32(truncatingIfNeeded: checksum) == expected else {
      throw TensorFileError(
        .checksumMismatch, at: place, "The data does not have the checksum the archive gives.")
    }
  }
}
