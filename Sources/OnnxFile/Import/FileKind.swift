/// Well-known kinds of files that people hand over instead of an ONNX model.
struct FileKind {
  /// What the file is, with its article.
  let description: String

  /// Recognises a file by its first bytes; nil for anything that may be ONNX.
  init?(_ bytes: UnsafeRawBufferPointer) {
    func begins(_ prefix: [UInt8], at offset: Int = 0) -> Bool {
      bytes.count >= offset + prefix.count
        && bytes[offset..<offset + prefix.count].elementsEqual(prefix)
    }
    func begins(_ text: String, at offset: Int = 0) -> Bool {
      begins(Array(text.utf8), at: offset)
    }
    if begins([0x1F, 0x8B]) {
      description = "a gzip archive"
    } else if begins("PK\u{3}\u{4}") {
      description = "a zip archive (such as a PyTorch checkpoint)"
    } else if begins([0x89] + Array("PNG".utf8)) {
      description = "a PNG picture"
    } else if begins("GGUF") {
      description = "a GGUF model"
    } else if begins([0x93] + Array("NUMPY".utf8)) {
      description = "a NumPy array"
    } else if begins([0, 0, 0, 0, UInt8(ascii: "{"), UInt8(ascii: "\"")], at: 4) {
      description = "a safetensors file"
    } else if begins("{") || begins("<") {
      description = "a text file"
    } else if begins("ir_version") {
      description = "an ONNX model in text form"
    } else if begins("version https://git-lfs") {
      description = "a Git LFS pointer, not the file it stands for"
    } else if begins([0x80, 2]) || begins([0x80, 3]) || begins([0x80, 4]) {
      description = "a Python pickle"
    } else {
      return nil
    }
  }
}
