import Foundation

/// Files that are large and take no room on the disk.
package enum LargeFile {
  /// Writes a model with one uint8 tensor `w` of `count` zeros inside the file.
  package static func writeModel(ofWeights count: Int, to path: String) throws {
    var tensor = Wire {
      $0.int(1, Int64(count))
      $0.int(2, 2)
      $0.text(8, "w")
    }
    tensor.varint(9 << 3 | 2)
    tensor.varint(UInt64(count))
    var graph = Wire {
      $0.data(1, WireModel.node("Identity", ["x"], ["y"]))
      $0.text(2, "g")
      $0.data(11, WireModel.value("x"))
      $0.data(12, WireModel.value("y"))
    }
    graph.varint(5 << 3 | 2)
    graph.varint(UInt64(tensor.bytes.count + count))
    graph.bytes += tensor.bytes
    var model = Wire {
      $0.int(1, 8)
      $0.message(8) { $0.int(2, 17) }
    }
    model.varint(7 << 3 | 2)
    model.varint(UInt64(graph.bytes.count + count))
    model.bytes += graph.bytes
    try Data(model.bytes).write(to: URL(filePath: path))
    try extend(path, to: model.bytes.count + count)
  }

  /// Makes a file `byteCount` bytes long; what is new are zeros.
  package static func extend(_ path: String, to byteCount: Int) throws {
    guard truncate(path, off_t(byteCount)) == 0 else { throw CocoaError(.fileWriteUnknown) }
  }
}
