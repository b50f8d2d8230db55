import CCrypto

/// SHA-256 of bytes that arrive piece by piece, computed by libcrypto.
final class Digest {
  private let context: OpaquePointer?

  init() {
    context = EVP_MD_CTX_new()
    let isReady = EVP_DigestInit_ex(context, EVP_sha256(), nil)
    precondition(isReady == 1, "SHA-256 is part of every libcrypto")
  }

  deinit {
    EVP_MD_CTX_free(context)
  }

  /// Takes the next bytes.
  func update(_ bytes: UnsafeRawBufferPointer) {
    EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
  }

  /// The digest of everything taken, as 64 lowercase hexadecimal digits; ends the computation.
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
