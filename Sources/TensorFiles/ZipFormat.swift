/// Numbers of the zip format (PKWARE APPNOTE 6.3.10, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT).
enum ZipFormat {
  static let localSignature = 0x0403_4B50
  static let localByteCount = 30
  static let centralSignature = 0x0201_4B50
  static let centralByteCount = 46
  static let endSignature = 0x0605_4B50
  static let endByteCount = 22
  static let end64Signature = 0x0606_4B50
  static let end64ByteCount = 56
  static let locator64Signature = 0x0706_4B50
  static let locator64ByteCount = 20

  /// The extra field that carries 64-bit sizes.
  static let extra64 = 1
  /// Stands in a 32-bit field whose value is in the extra field.
  static let escaped32 = 0xFFFF_FFFF
  /// Stands in a 16-bit field whose value is in the zip64 record.
  static let escaped16 = 0xFFFF

  static let storedMethod = 0
  static let deflatedMethod = 8
  static let encryptedFlag = 1
  static let utf8Flag = 1 << 11

  /// Deflate cannot expand more than this: two bits give at most 258 bytes (RFC 1951 §3.2.5).
  static let greatestDeflateRatio = 1032
}
