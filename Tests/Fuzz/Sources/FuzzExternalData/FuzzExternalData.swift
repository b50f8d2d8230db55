public import FuzzInput
import GraphIR
@testable import OnnxFile
import Tensors

/// The main function.
@_cdecl("FuzzExternalData_main")
public func fuzzExternalData(_ count: Int32, _ arguments: Arguments) -> Int32 {
  fuzz(count, arguments) { test($0, $1) }
}

/// Lines `key` NUL `value` as the external data of a tensor: what is accepted stays in the folder.
private func test(_ start: UnsafeRawPointer?, _ count: Int) -> Int32 {
  guard let start, count > 0, count < 4096 else { return 0 }
  let bytes = [UInt8](UnsafeRawBufferPointer(start: start, count: count))
  let entries = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map { line in
    line.split(separator: 0x3D, maxSplits: 1, omittingEmptySubsequences: false).map(Array.init)
  }
  let model = Message {
    $0.number(1, 8)
    $0.message(7) { graph in
      graph.message(5) { tensor in
        tensor.number(1, 2)
        tensor.number(2, 1)
        tensor.bytes(8, [0x77])
        for entry in entries {
          tensor.message(13) { pair in
            pair.bytes(1, entry.first ?? [])
            if entry.count > 1 { pair.bytes(2, entry[1]) }
          }
        }
        tensor.number(14, 1)
      }
      graph.message(12) { $0.bytes(1, [0x77]) }
    }
    $0.message(8) { $0.number(2, 17) }
  }.encoded
  model.withUnsafeBytes { buffer in
    do throws(OnnxFileError) {
      let model = try OnnxModel(
        parsing: buffer, path: "/nowhere/model.onnx", identity: nil, limits: .standard)
      for location in model.weightLocations {
        let parts = location.split(separator: "/", omittingEmptySubsequences: false)
        if location.utf8.first == 0x2F || parts.contains("..") || location.utf8.contains(0) {
          found("the location '\(location)' leads out of the folder")
        }
      }
    } catch {
      if error.category == .internalFault { found("an internal fault") }
    }
  }
  return 0
}

/// Protobuf bytes.
private struct Message {
  var encoded: [UInt8] = []

  init(_ build: (inout Message) -> Void) { build(&self) }

  private mutating func varint(_ value: Int) {
    var rest = value
    while rest >= 0x80 {
      encoded.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    encoded.append(UInt8(rest))
  }

  mutating func number(_ field: Int, _ value: Int) {
    varint(field << 3)
    varint(value)
  }

  mutating func bytes(_ field: Int, _ content: [UInt8]) {
    varint(field << 3 | 2)
    varint(content.count)
    encoded += content
  }

  mutating func message(_ field: Int, _ build: (inout Message) -> Void) {
    bytes(field, Message(build).encoded)
  }
}
