import COnnxShim
import Tensors

/// Where a tensor's bytes lie outside the model: the checked entries of
/// `TensorProto.external_data`.
struct ExternalRecord {
  /// The file, relative to the model's folder.
  let location: String

  /// The first byte.
  let offset: Int

  /// The SHA-1 of the whole file, 40 lowercase hexadecimal digits.
  let checksum: String?

  /// Reads the entries of a tensor that takes `byteCount` bytes.
  ///
  /// Keys other than those of the format are refused, as are numbers in any form but plain
  /// decimal digits: a reader that guesses reads the wrong bytes.
  init(_ tensor: OnnxTensorRef, byteCount: Int, place: String) throws(OnnxFileError) {
    var values: [String: String] = [:]
    for position in 0..<onnx_tensor_external_count(tensor) {
      let entry = onnx_tensor_external(tensor, position)
      guard let key = String(validating: entry.key.buffer, as: UTF8.self),
        ["location", "offset", "length", "checksum"].contains(key)
      else {
        throw OnnxFileError(
          .externalDataRecord, at: place,
          "External data has an unknown key '\(entry.key.text.escapedForTerminal)'.")
      }
      guard let value = String(validating: entry.value.buffer, as: UTF8.self) else {
        throw OnnxFileError(
          .externalDataRecord, at: place, "External data has a \(key) that is not UTF-8.")
      }
      guard values.updateValue(value, forKey: key) == nil else {
        throw OnnxFileError(.externalDataRecord, at: place, "External data gives \(key) twice.")
      }
    }
    guard let location = values["location"] else {
      throw OnnxFileError(.externalDataRecord, at: place, "External data has no location.")
    }
    try Self.check(location, place: place)
    self.location = location
    offset = try Self.number(values["offset"], "offset", place: place) ?? 0
    checksum = try Self.checksum(values["checksum"], place: place)
    let length = try Self.number(values["length"], "length", place: place) ?? byteCount
    guard length == byteCount else {
      throw OnnxFileError(
        .externalDataRecord, at: place,
        "External data has \(length) bytes at offset \(offset), the tensor takes \(byteCount).")
    }
    guard !offset.addingReportingOverflow(length).overflow else {
      throw OnnxFileError(
        .externalDataRecord, at: place,
        "External data ends past 64 bits: offset \(offset), length \(length).")
    }
  }

  private static func checksum(
    _ text: String?, place: String
  ) throws(OnnxFileError) -> String? {
    guard let text else { return nil }
    let digits = text.utf8.map { byte in
      (UInt8(ascii: "A")...UInt8(ascii: "F")).contains(byte) ? byte | 0x20 : byte
    }
    let isDigest =
      digits.count == 40
      && digits.allSatisfy {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
          || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
      }
    guard isDigest else {
      throw OnnxFileError(
        .externalDataRecord, at: place,
        "External data has the checksum '\(text.escapedForTerminal)', which is no SHA-1.")
    }
    return String(decoding: digits, as: UTF8.self)
  }

  private static func number(
    _ text: String?, _ key: String, place: String
  ) throws(OnnxFileError) -> Int? {
    guard let text else { return nil }
    let isPlain =
      !text.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      && (text == "0" || text.utf8.first != UInt8(ascii: "0"))
    guard isPlain, let number = Int(text) else {
      throw OnnxFileError(
        .externalDataRecord, at: place,
        "External data has the \(key) '\(text.escapedForTerminal)', which is not a plain number.")
    }
    return number
  }

  /// Refuses what can only be an attempt to leave the folder; links are the kernel's business
  /// when the file is opened.
  private static func check(_ location: String, place: String) throws(OnnxFileError) {
    let bytes = location.utf8
    let components = location.split(separator: "/", omittingEmptySubsequences: true)
    let isDrive =
      bytes.count >= 2 && bytes[bytes.index(after: bytes.startIndex)] == UInt8(ascii: ":")
    let fault: String? =
      if components.allSatisfy({ $0 == "." }) {
        "names no file"
      } else if bytes.contains(0) {
        "holds a NUL"
      } else if bytes.first == UInt8(ascii: "/") || isDrive || bytes.first == UInt8(ascii: "~") {
        "is an absolute path"
      } else if components.contains("..") {
        "leads out of the model's folder"
      } else if bytes.contains(UInt8(ascii: "\\")) || location.contains("://") {
        "is not a relative path with forward slashes"
      } else {
        nil
      }
    if let fault {
      throw OnnxFileError(
        .externalDataLocation, at: place,
        "The external data location '\(location.escapedForTerminal)' \(fault).",
        hint: "Weights must lie beside the model or in a folder below it.")
    }
  }
}
