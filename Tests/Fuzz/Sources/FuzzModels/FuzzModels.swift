public import FuzzInput
import GraphIR
@testable import OnnxFile
import Tensors

/// The main function.
@_cdecl("FuzzModels_main")
public func fuzzModels(_ count: Int32, _ arguments: Arguments) -> Int32 {
  fuzz(count, arguments) { test($0, $1) }
}

/// Wire scan, protobuf and import: a model that is accepted has a graph that the verifier accepts,
/// and its tensors can be loaded or say why not.
private func test(_ start: UnsafeRawPointer?, _ count: Int) -> Int32 {
  guard let start, count > 0 else { return 0 }
  let bytes = UnsafeRawBufferPointer(start: start, count: count)
  do throws(OnnxFileError) {
    let model = try OnnxModel(
      parsing: bytes, path: "/nowhere/model.onnx", identity: nil, limits: .standard)
    do {
      try model.graph.verify()
      for stored in model.graph.initializers.values { _ = try stored.load() }
    } catch let error as any ReportedError {
      guard !(error is GraphError) else { found("an accepted graph breaks a rule") }
    } catch {
      found("an error without a type")
    }
  } catch {
    guard error.category != .internalFault else { found("an internal fault") }
  }
  return 0
}
