import Foundation
import GraphIR
import OnnxFile
import Tensors
import TestSupport

enum Exports {
  /// A model of the corpus, copied with its weights so that a test may write beside it.
  static func read(_ name: String, copiedTo folder: borrowing TemporaryFolder) throws -> OnnxModel {
    for file in ["\(name).onnx", "\(name).onnx.data"] {
      let source = Fixtures.corpus(file)
      guard FileManager.default.fileExists(atPath: source) else { continue }
      try FileManager.default.copyItem(atPath: source, toPath: "\(folder.path)/\(file)")
    }
    return try OnnxModel.read("\(folder.path)/\(name).onnx")
  }
}

extension Graph {
  /// Moves a range of the order into both branches of an `If`.
  mutating func moveIntoBranch(_ range: Range<Int>, condition: ValueID) throws {
    let moved = range.clamped(to: 0..<order.count).map { order[$0] }
    let inside = Set(moved)
    let uses = UseIndex(self)
    let results = moved.flatMap { self[$0].outputs.compactMap { $0 } }
    let exits = results.filter { value in
      uses.isOutput(value) || uses.users(of: value).contains { !inside.contains($0) }
    }
    var body = Graph(name: "body", opsets: opsets)
    var captured: [ValueID] = []
    var mapping: [ValueID: ValueID] = [:]
    for id in moved {
      var node = self[id]
      for value in node.uses where mapping[value] == nil {
        mapping[value] = body.addCapture(name(of: value), type: type(of: value))
        captured.append(value)
      }
      node.inputs = node.inputs.map { $0.flatMap { mapping[$0] } }
      node.outputs = node.outputs.map { value in
        guard let value else { return nil }
        let inner = body.makeValue(name(of: value), type: type(of: value))
        mapping[value] = inner
        return inner
      }
      body.append(node)
    }
    for exit in exits { if let inner = mapping[exit] { body.addOutput(inner) } }
    let node = Node(
      "If", name: "moved", inputs: [condition], outputs: exits,
      attributes: [
        Attribute("then_branch", .graph(Subgraph(graph: body, captures: captured))),
        Attribute("else_branch", .graph(Subgraph(graph: body, captures: captured))),
      ])
    remove(inside)
    let id = add(node)
    setOrder(Array(order[..<range.lowerBound] + [id] + order[range.lowerBound...]))
    try sortTopologically()
  }
}

extension Tensor {
  var bytes: [UInt8] {
    let tensor = contiguous()
    return withExtendedLifetime(tensor) {
      Array(UnsafeRawBufferPointer(start: tensor.base, count: tensor.byteCount))
    }
  }
}
