import Foundation
import OnnxFile
import Tensors
import TestSupport
import Testing

/// One bad file and the error it must give; the name begins with the item of the list.
struct HostileCase: CustomTestStringConvertible, Sendable {
  let name: String
  let code: String
  let bytes: [UInt8]

  init(_ name: String, _ code: String, _ bytes: [UInt8]) {
    self.name = name
    self.code = code
    self.bytes = bytes
  }

  init(_ name: String, _ code: String, _ change: (inout WireModel) -> Void) {
    self.init(name, code, WireModel.with(change))
  }

  var testDescription: String { name }
}

extension TemporaryFolder {
  /// Reads a file that must be refused with a code, at its own path, and within a second.
  @discardableResult
  func expectRefusal(
    of bytes: [UInt8], _ code: String, limits: OnnxLimits = .standard,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> OnnxFileError? {
    let path = try write(bytes, to: "bad.onnx")
    let start = processorSeconds()
    let error = #expect(throws: OnnxFileError.self, sourceLocation: sourceLocation) {
      try OnnxModel.read(path, limits: limits)
    }
    #expect(processorSeconds() - start < 1, sourceLocation: sourceLocation)
    #expect(
      error?.code == code, "\(String(describing: error))", sourceLocation: sourceLocation)
    #expect(error?.place.hasPrefix(path) ?? false, sourceLocation: sourceLocation)
    #expect((error?.description.utf8.count ?? 0) < 8192, sourceLocation: sourceLocation)
    return error
  }

  /// Reads a file that must be accepted.
  func read(
    _ bytes: [UInt8], limits: OnnxLimits = .standard
  ) throws -> OnnxModel {
    try OnnxModel.read(write(bytes, to: "good.onnx"), limits: limits)
  }

  /// A command that must end with a status, say so, and leave the folder as it was.
  @discardableResult
  func expectFailure(
    _ status: Int32, _ arguments: String..., prelude: String = "true", redirections: String = "",
    peakByteCount: Int? = nil, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> Command {
    let before = try names
    let command = try Command(
      arguments, in: self, prelude: prelude, redirections: redirections,
      measuresMemory: peakByteCount != nil)
    #expect(command.status == status, "\(command)", sourceLocation: sourceLocation)
    #expect(
      command.errors.lowercased().contains("error:"), "\(command)", sourceLocation: sourceLocation)
    if let peakByteCount {
      #expect(
        (1..<peakByteCount).contains(command.peakByteCount), "\(command.peakByteCount) bytes",
        sourceLocation: sourceLocation)
    }
    #expect(try names == before, sourceLocation: sourceLocation)
    return command
  }
}

/// Processor time of the calling thread: other work on the machine does not count.
func processorSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

extension TemporaryFolder {
  /// Writes a model unchanged, and again after an edit that is undone: no byte may be lost.
  func expectRoundTrip(of bytes: [UInt8]) throws {
    let model = try read(bytes)
    try model.write(to: path("copy.onnx"))
    #expect(try self.bytes("copy.onnx") == bytes)
    try model.write(model.graph, to: path("edited.onnx"))
    let restored = try OnnxModel.read(path("edited.onnx"))
      .restoreOriginal(to: path("restored.onnx"))
    #expect(restored.outcome == .identical)
  }
}

extension Tensor {
  /// The elements in row-major order.
  var bytes: [UInt8] {
    [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
      if let base = buffer.baseAddress { copyElements(to: base) }
      count = byteCount
    }
  }
}
