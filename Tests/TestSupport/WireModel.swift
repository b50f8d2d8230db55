/// Protobuf bytes made by hand, so that tests can break every rule.
package struct Wire {
  package var bytes: [UInt8] = []

  package init(_ build: (inout Wire) -> Void = { _ in }) {
    build(&self)
  }

  package mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  package mutating func int(_ field: UInt64, _ value: Int64) {
    varint(field << 3)
    varint(UInt64(bitPattern: value))
  }

  package mutating func data(_ field: UInt64, _ content: [UInt8]) {
    varint(field << 3 | 2)
    varint(UInt64(content.count))
    bytes += content
  }

  package mutating func text(_ field: UInt64, _ content: String) {
    data(field, Array(content.utf8))
  }

  package mutating func message(_ field: UInt64, _ build: (inout Wire) -> Void) {
    data(field, Wire(build).bytes)
  }
}

/// A small model with room for faults: by default it hands `x` through an Identity to `y`.
package struct WireModel {
  package var irVersion: Int64? = 8
  package var opsets: [(String, Int64)] = [("", 17)]
  package var nodes: [[UInt8]] = [WireModel.node("Identity", ["x"], ["y"])]
  package var initializers: [[UInt8]] = []
  package var inputs = ["x"]
  package var outputs = ["y"]
  package var metadata: [(String, String)] = []
  package var extra = Wire()
  package var extraInGraph = Wire()

  /// The default model.
  package init() {}

  package var bytes: [UInt8] {
    Wire { model in
      if let irVersion { model.int(1, irVersion) }
      model.data(7, graph)
      for (domain, version) in opsets {
        model.message(8) {
          if !domain.isEmpty { $0.text(1, domain) }
          $0.int(2, version)
        }
      }
      for (key, value) in metadata {
        model.message(14) {
          $0.text(1, key)
          $0.text(2, value)
        }
      }
      model.bytes += extra.bytes
    }.bytes
  }

  package var graph: [UInt8] {
    Wire { graph in
      for node in nodes { graph.data(1, node) }
      graph.text(2, "g")
      for tensor in initializers { graph.data(5, tensor) }
      for input in inputs { graph.data(11, WireModel.value(input)) }
      for output in outputs { graph.data(12, WireModel.value(output)) }
      graph.bytes += extraInGraph.bytes
    }.bytes
  }

  package static func node(
    _ op: String, _ inputs: [String], _ outputs: [String], domain: String = "",
    _ build: (inout Wire) -> Void = { _ in }
  ) -> [UInt8] {
    Wire { node in
      for input in inputs { node.text(1, input) }
      for output in outputs { node.text(2, output) }
      node.text(4, op)
      if !domain.isEmpty { node.text(7, domain) }
      build(&node)
    }.bytes
  }

  /// A float tensor of shape [2].
  package static func value(_ name: String) -> [UInt8] {
    Wire { value in
      value.text(1, name)
      value.message(2) { type in
        type.message(1) { tensor in
          tensor.int(1, 1)
          tensor.message(2) { shape in shape.message(1) { $0.int(1, 2) } }
        }
      }
    }.bytes
  }

  package static func tensor(
    _ name: String = "w", dims: [Int64] = [2], type: Int64 = 1, raw: Int? = 8,
    _ build: (inout Wire) -> Void = { _ in }
  ) -> [UInt8] {
    Wire { tensor in
      for dim in dims { tensor.int(1, dim) }
      tensor.int(2, type)
      tensor.text(8, name)
      if let raw { tensor.data(9, [UInt8](repeating: 0, count: raw)) }
      build(&tensor)
    }.bytes
  }

  package static func external(
    _ entries: [(String, String)], dims: [Int64] = [2], raw: Int? = nil
  ) -> [UInt8] {
    tensor(dims: dims, raw: raw) { tensor in
      for (key, value) in entries {
        tensor.message(13) {
          $0.text(1, key)
          $0.text(2, value)
        }
      }
      tensor.int(14, 1)
    }
  }

  package static func with(_ change: (inout WireModel) -> Void) -> [UInt8] {
    var model = WireModel()
    change(&model)
    return model.bytes
  }
}
