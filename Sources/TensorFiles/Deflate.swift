import CZlib
import Tensors

/// Compression of one zip member in memory, as a raw deflate stream (RFC 1951).
enum Deflate {
  private static let chunkByteCount = 1 << 16
  /// zlib's own default amount of working memory.
  private static let memoryLevel: Int32 = 8

  static func bytes(
    of header: [UInt8], followedBy body: UnsafeRawBufferPointer, place: String
  ) throws(TensorFileError) -> [UInt8] {
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    stream.initialize(to: z_stream())
    defer { stream.deallocate() }
    guard
      deflateInit2_(
        stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, memoryLevel, Z_DEFAULT_STRATEGY,
        ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else {
      throw TensorFileError(.unsupported, at: place, "zlib could not be started.")
    }
    defer { deflateEnd(stream) }
    var result: [UInt8] = []
    header.withUnsafeBytes { append($0, to: &result, stream, flush: Z_NO_FLUSH) }
    var rest = body
    while rest.count > Int(Int32.max) {
      let part = UnsafeRawBufferPointer(rebasing: rest.prefix(Int(Int32.max)))
      append(part, to: &result, stream, flush: Z_NO_FLUSH)
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(part.count))
    }
    append(rest, to: &result, stream, flush: Z_FINISH)
    return result
  }

  /// Compresses `bytes`, at most 2³¹ − 1 of them.
  private static func append(
    _ bytes: UnsafeRawBufferPointer, to result: inout [UInt8],
    _ stream: UnsafeMutablePointer<z_stream>, flush: Int32
  ) {
    stream.pointee.next_in = UnsafeMutablePointer(
      mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
    stream.pointee.avail_in = UInt32(bytes.count)
    var isFull = true
    while isFull {
      result += [UInt8](unsafeUninitializedCapacity: chunkByteCount) { chunk, count in
        stream.pointee.next_out = chunk.baseAddress
        stream.pointee.avail_out = UInt32(chunkByteCount)
        deflate(stream, flush)
        count = chunkByteCount - Int(stream.pointee.avail_out)
      }
      isFull = stream.pointee.avail_out == 0
    }
  }
}
