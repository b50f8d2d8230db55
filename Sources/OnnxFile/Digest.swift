import CCrypto

/// The digest of bytes that arrive piece by piece, computed by libcrypto.
final class Digest {
  enum Algorithm {
    case sha256
    /// What the `checksum` of external data is; it finds accidents, not attacks.
    case sha1
  }

  private let context: OpaquePointer?

  init(_ algorithm: Algorithm = .sha256) {
    context = EVP_MD_CTX_new()
    let isReady = EVP_DigestInit_ex(
      context, algorithm == .sha256 ? EVP_sha256() : EVP_sha1(), nil)
    precondition(isReady == 1, "both algorithms are part of every libcrypto")
  }

  deinit {
    EVP_MD_CTX_free(context)
  }

  /// Takes the next bytes.
  func update(_ bytes: UnsafeRawBufferPointer) {
    EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
  }

  /// The digest of everything taken, as lowercase hexadecimal digits; ends the computation.
  func finish() -> String {
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var count: UInt32 = 0
    EVP_DigestFinal_ex(context, &digest, &count)
    let digits = Array("0123456789abcdef".utf8)
    return String(
      decoding: digest[..<Int(count)].flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] },
      as: UTF8.self)
  }

  /// The digest of bytes in memory.
  static func sha256(_ bytes: UnsafeRawBufferPointer) -> String {
    let digest = Digest()
    digest.update(bytes)
    return digest.finish()
  }
}
