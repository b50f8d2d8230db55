public import FuzzInput
import TensorFiles
import Tensors

/// The main function.
@_cdecl("FuzzTensorFiles_main")
public func fuzzTensorFiles(_ count: Int32, _ arguments: Arguments) -> Int32 {
  fuzz(count, arguments) { test($0, $1) }
}

/// The first byte chooses the format of the others; whatever is accepted has the bytes it says.
private func test(_ start: UnsafeRawPointer?, _ count: Int) -> Int32 {
  guard let start, count > 1 else { return 0 }
  let format = start.load(as: UInt8.self)
  var limits = TensorFileLimits()
  limits.tensorByteCount = 1 << 20
  MemoryFile.withPath(UnsafeRawBufferPointer(start: start + 1, count: count - 1)) { path in
    do throws(TensorFileError) {
      switch format % 3 {
      case 0: check(try NPY.read(from: path, limits: limits))
      case 1:
        let archive = try NPZFile(readingFrom: path, limits: limits)
        for key in archive.keys { check(try archive.tensor(key)) }
      default:
        let file = try SafetensorsFile(readingFrom: path, limits: limits)
        for key in file.keys { check(try file.tensor(key)) }
      }
    } catch {
      if error.category == .internalFault { found("an internal fault") }
    }
  }
  return 0
}

private func check(_ tensor: Tensor) {
  if tensor.byteCount != tensor.storage.byteCount {
    found("\(tensor.shape) has \(tensor.storage.byteCount) bytes")
  }
  var sum: UInt8 = 0
  let bytes = UnsafeRawBufferPointer(start: tensor.base, count: tensor.byteCount)
  for byte in bytes { sum &+= byte }
  if sum == 1, tensor.elementCount == 0 { found("elements of nothing") }
}
