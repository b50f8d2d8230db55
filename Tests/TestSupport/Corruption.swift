/// One way to break a model.
package struct Corruption: Sendable {
  /// What is broken.
  package let name: String

  /// The bytes of a broken copy; those of the model where there is nothing to break.
  package let apply: @Sendable (ProtoTree, inout SplitMix) -> [UInt8]

  /// All of them.
  package static let all: [Corruption] = bytes + messages + graphs + tensors

  private init(
    _ name: String, bytes change: @escaping @Sendable (inout [UInt8], inout SplitMix) -> Void
  ) {
    self.name = name
    apply = { model, random in
      var bytes = model.encoded
      change(&bytes, &random)
      return bytes
    }
  }

  private init(
    _ name: String, in kinds: Set<ProtoTree.Kind>,
    _ change: @escaping @Sendable (inout ProtoTree, inout SplitMix) -> Void
  ) {
    self.name = name
    apply = { model, random in
      var model = model
      if let place = random.pick(model.places(of: kinds)) { change(&model[place], &random) }
      return model.encoded
    }
  }

  private init(
    _ name: String, model change: @escaping @Sendable (inout ProtoTree, inout SplitMix) -> Void
  ) {
    self.init(name, in: [.model], change)
  }

  private static let everything: Set<ProtoTree.Kind> = [
    .model, .graph, .node, .attribute, .tensor, .value, .type, .tensorType, .shape, .dimension,
    .operatorSet, .entry,
  ]

  private static let extremes: [Int] = [
    0, 1, -1, 2, 3, 7, 16, 99, 127, 255, 999, 65_536, 1 << 31, -(1 << 31), 1 << 32, 1 << 33,
    1 << 40, 1 << 62, .max, .min, .min + 1,
  ]
}

// MARK: - Bytes

extension Corruption {
  private static let bytes: [Corruption] = [
    Corruption("a file cut short") { bytes, random in
      bytes.removeLast(random.int(0..<bytes.count))
    },
    Corruption("a flipped bit") { bytes, random in
      bytes[random.int(0..<bytes.count)] ^= 1 << UInt8(random.int(0..<8))
    },
    Corruption("a changed byte") { bytes, random in
      bytes[random.int(0..<bytes.count)] = UInt8(random.int(0..<256))
    },
    Corruption("an inserted byte") { bytes, random in
      bytes.insert(UInt8(random.int(0..<256)), at: random.int(0..<bytes.count))
    },
    Corruption("a removed range") { bytes, random in
      let start = random.int(0..<bytes.count)
      bytes.removeSubrange(start..<min(bytes.count, start + random.int(1..<20)))
    },
    Corruption("a range given twice") { bytes, random in
      let start = random.int(0..<bytes.count)
      let range = bytes[start..<min(bytes.count, start + random.int(1..<200))]
      bytes.insert(contentsOf: range, at: random.int(0..<bytes.count))
    },
    Corruption("a range of zeros") { bytes, random in
      let start = random.int(0..<bytes.count)
      for index in start..<min(bytes.count, start + random.int(1..<20)) { bytes[index] = 0 }
    },
    Corruption("garbage at the end") { bytes, random in
      bytes += (0..<random.int(1..<20)).map { _ in UInt8(random.int(0..<256)) }
    },
    Corruption("the model twice") { bytes, _ in bytes += bytes },
    Corruption("several changed bytes") { bytes, random in
      for _ in 0..<random.int(2..<9) {
        bytes[random.int(0..<bytes.count)] = UInt8(random.int(0..<256))
      }
    },
  ]
}

// MARK: - Messages

extension Corruption {
  private static let messages: [Corruption] = [
    Corruption("a missing field", in: everything) { message, random in
      guard !message.fields.isEmpty else { return }
      message.fields.remove(at: random.int(0..<message.fields.count))
    },
    Corruption("a field given twice", in: everything) { message, random in
      guard let field = random.pick(message.fields) else { return }
      message.fields.insert(field, at: random.int(0..<message.fields.count))
    },
    Corruption("fields in another order", in: everything) { message, random in
      message.fields.shuffle(using: &random)
    },
    Corruption("a field of another number", in: everything) { message, random in
      guard !message.fields.isEmpty else { return }
      message.fields[random.int(0..<message.fields.count)].number = UInt64(random.int(1..<30))
    },
    Corruption("a number of another size", in: everything) { message, random in
      let places = message.fields.indices.filter {
        if case .number = message.fields[$0].value { true } else { false }
      }
      guard let place = random.pick(places), let number = random.pick(extremes) else { return }
      message.fields[place].value = .number(UInt64(bitPattern: Int64(number)))
    },
    Corruption("a float that is none", in: [.attribute]) { message, random in
      message.fields.removeAll { $0.number == 2 }
      message.float(2, random.pick([.nan, .infinity, -.infinity, -1, 0, 1e38]) ?? 0)
    },
    Corruption("an empty text", in: everything) { message, random in
      replaceBytes(of: &message, by: [], &random)
    },
    Corruption("a text that is not UTF-8", in: everything) { message, random in
      replaceBytes(of: &message, by: [0xFF, 0xC0, 0x80], &random)
    },
    Corruption("a long text", in: everything) { message, random in
      replaceBytes(of: &message, by: [UInt8](repeating: 0x61, count: 5000), &random)
    },
    Corruption("a text with control characters", in: everything) { message, random in
      replaceBytes(of: &message, by: Array("a\0\n\u{1B}[2J\u{202E}".utf8), &random)
    },
    Corruption("a number where a message belongs", in: everything) { message, random in
      guard !message.fields.isEmpty else { return }
      message.fields[random.int(0..<message.fields.count)].value = .number(7)
    },
    Corruption("a message inside itself", in: everything) { message, random in
      guard let number = random.pick(message.fields)?.number else { return }
      for _ in 0..<random.int(1..<5) { message.message(number, message) }
    },
    Corruption("unknown fields", in: everything) { message, random in
      message.data(UInt64(random.int(100..<1000)), [1, 2, 3])
    },
    Corruption(
      "a part of another place",
      model: { model, random in
        guard let from = random.pick(model.places(of: everything)),
          let to = random.pick(model.places(of: everything))
        else { return }
        let part = model[from]
        model[to] = part
      }),
  ]

  private static func replaceBytes(
    of message: inout ProtoTree, by bytes: [UInt8], _ random: inout SplitMix
  ) {
    let places = message.fields.indices.filter {
      if case .bytes = message.fields[$0].value { true } else { false }
    }
    guard let place = random.pick(places) else { return }
    message.fields[place].value = .bytes(bytes)
  }
}

// MARK: - Graphs

extension Corruption {
  private static let graphs: [Corruption] = [
    Corruption("an operand that is another value", in: [.node]) { node, random in
      rename(1, of: &node, to: "v\(random.int(1..<12))", &random)
    },
    Corruption("an operand that nothing defines", in: [.node]) { node, random in
      rename(1, of: &node, to: "nothing", &random)
    },
    Corruption("an absent operand", in: [.node]) { node, random in
      rename(1, of: &node, to: "", &random)
    },
    Corruption("operands that are missing", in: [.node]) { node, _ in
      node.fields.removeAll { $0.number == 1 }
    },
    Corruption("too many operands", in: [.node]) { node, random in
      for _ in 0..<random.int(1..<6) { node.text(1, "x") }
    },
    Corruption("a result that is another value", in: [.node]) { node, random in
      rename(2, of: &node, to: "v\(random.int(1..<12))", &random)
    },
    Corruption("too many results", in: [.node]) { node, random in
      for number in 0..<random.int(1..<4) { node.text(2, "more\(number)") }
    },
    Corruption("a node that reads itself", in: [.node]) { node, _ in
      guard let result = node.fields.first(where: { $0.number == 2 }) else { return }
      node.fields.insert(.init(number: 1, value: result.value), at: 0)
    },
    Corruption("another operator", in: [.node]) { node, random in
      node.fields.removeAll { $0.number == 4 }
      node.text(4, random.pick(operators) ?? "Neg")
    },
    Corruption("an operator of an unknown domain", in: [.node]) { node, random in
      node.text(7, random.pick(["ai.onnx", "com.microsoft", "nobody"]) ?? "")
    },
    Corruption("an attribute of another name", in: [.attribute]) { attribute, random in
      attribute.fields.removeAll { $0.number == 1 }
      attribute.text(1, random.pick(attributeNames) ?? "axis")
    },
    Corruption("an attribute of another kind", in: [.attribute]) { attribute, random in
      attribute.fields.removeAll { $0.number == 20 }
      attribute.int(20, random.int(0..<16))
    },
    Corruption("an attribute more", in: [.node]) { node, random in
      let (name, number) = (random.pick(attributeNames) ?? "axis", random.pick(extremes) ?? 0)
      node.message(
        5,
        ProtoTree(.attribute) {
          $0.text(1, name)
          $0.int(3, number)
          $0.int(20, 2)
        })
    },
    Corruption("a list of extreme numbers", in: [.node]) { node, random in
      let name = random.pick(attributeNames) ?? "perm"
      let numbers = (0..<random.int(0..<6)).map { _ in random.pick(extremes) ?? 0 }
      node.message(
        5,
        ProtoTree(.attribute) { attribute in
          attribute.text(1, name)
          for number in numbers { attribute.int(8, number) }
          attribute.int(20, 7)
        })
    },
    Corruption("nodes in another order", in: [.graph]) { graph, _ in graph.fields.reverse() },
    Corruption("a name for an output that is an input", in: [.graph]) { graph, random in
      let outputs = graph.fields.indices.filter { graph.fields[$0].number == 12 }
      guard let place = random.pick(outputs), case .message(var value) = graph.fields[place].value
      else { return }
      rename(1, of: &value, to: "x", &random)
      graph.fields[place].value = .message(value)
    },
    Corruption("no outputs", in: [.graph]) { graph, _ in graph.fields.removeAll { $0.number == 12 }
    },
    Corruption(
      "metadata of ours",
      model: { model, random in
        let key = random.pick(["ditcache/manifest", "ditcache/undo", "ditcache/schedule"]) ?? ""
        let values = [
          "", "{}", "[]", "{\"schema\":1}", "1 2 3", String(repeating: "[", count: 3000),
        ]
        let value = random.pick(values) ?? ""
        model.message(
          14,
          ProtoTree(.entry) {
            $0.text(1, key)
            $0.text(2, value)
          })
      }),
    Corruption(
      "a function that calls itself",
      model: { model, _ in
        model.message(
          25,
          ProtoTree(.node) { function in
            function.text(1, "Neg")
            function.text(4, "a")
            function.text(5, "b")
            function.message(
              7,
              ProtoTree(.node) {
                $0.text(1, "a")
                $0.text(2, "b")
                $0.text(4, "Neg")
              })
          })
      }),
    Corruption("a symbol for a dimension", in: [.dimension]) { dimension, random in
      let symbols = ["n", "", "n*9223372036854775807", "((((", "-3", "n+m*n", "a\0b"]
      dimension.fields = []
      dimension.text(2, random.pick(symbols) ?? "n")
    },
    Corruption("another shape", in: [.shape]) { shape, random in
      let number = random.pick(extremes) ?? 0
      shape.message(1, ProtoTree(.dimension) { $0.int(1, number) })
    },
  ]

  private static func rename(
    _ number: UInt64, of message: inout ProtoTree, to name: String, _ random: inout SplitMix
  ) {
    let places = message.fields.indices.filter { message.fields[$0].number == number }
    guard let place = random.pick(places) else { return }
    message.fields[place].value = .bytes(Array(name.utf8))
  }

  private static let operators = [
    "Abs", "And", "ArgMax", "Attention", "Cast", "Concat", "Constant", "ConstantOfShape", "Conv",
    "CumSum", "Div", "Einsum", "Equal", "Erf", "Expand", "Flatten", "Gather", "GatherElements",
    "GatherND", "Gelu", "Gemm", "GroupNormalization", "If", "InstanceNormalization",
    "LayerNormalization", "Loop", "MatMul", "Mod", "NonZero", "Not", "OneHot", "Pad", "Pow",
    "RMSNormalization", "Range", "ReduceMean", "ReduceSum", "Reshape", "Resize", "RotaryEmbedding",
    "Scan", "ScatterElements", "ScatterND", "SequenceAt", "Shape", "Size", "Slice", "Softmax",
    "Split", "SplitToSequence", "Squeeze", "Tile", "TopK", "Transpose", "Trilu", "Unsqueeze",
    "Where", "Xor", "",
  ]

  private static let attributeNames = [
    "axis", "axes", "perm", "to", "keepdims", "epsilon", "equation", "mode", "pads", "strides",
    "dilations", "group", "kernel_shape", "num_outputs", "num_heads", "q_num_heads",
    "kv_num_heads", "scale", "alpha", "beta", "transA", "transB", "value", "allowzero",
    "start", "end", "k", "largest", "sorted", "exclusive", "reverse", "body", "then_branch", "",
  ]
}

// MARK: - Tensors

extension Corruption {
  private static let tensors: [Corruption] = [
    Corruption("a dimension more", in: [.tensor]) { tensor, random in
      tensor.int(1, random.pick(extremes) ?? 0)
    },
    Corruption("a dimension of another size", in: [.tensor]) { tensor, random in
      guard let place = tensor.fields.firstIndex(where: { $0.number == 1 }) else { return }
      tensor.fields[place].value = .number(
        UInt64(bitPattern: Int64(random.pick(extremes) ?? 0)))
    },
    Corruption("another element type", in: [.tensor]) { tensor, random in
      tensor.fields.removeAll { $0.number == 2 }
      tensor.int(2, random.pick([0, 2, 6, 7, 8, 9, 10, 11, 13, 14, 16, 17, 22, 26, 99, -1]) ?? 0)
    },
    Corruption("too few or many bytes", in: [.tensor]) { tensor, random in
      tensor.fields.removeAll { [4, 7, 9].contains($0.number) }
      tensor.data(9, [UInt8](repeating: 0x3F, count: random.int(0..<64)))
    },
    Corruption("bytes twice", in: [.tensor]) { tensor, _ in
      tensor.data(9, [0, 0, 0, 0])
      tensor.data(4, [0, 0, 0, 0])
    },
    Corruption("an element of another value", in: [.tensor]) { tensor, random in
      let places = tensor.fields.indices.filter { tensor.fields[$0].number == 7 }
      guard let place = random.pick(places) else { return }
      tensor.fields[place].value = .number(
        UInt64(bitPattern: Int64(random.pick(extremes) ?? 0)))
    },
    Corruption("external data", in: [.tensor]) { tensor, random in
      tensor.fields.removeAll { [4, 7, 9].contains($0.number) }
      let values = ["w", "../w", "/etc/passwd", "", "-1", "0", "4", "9223372036854775807", "a\0b"]
      for key in ["location", "offset", "length", "checksum", "other"] where random.chance(2) {
        let value = random.pick(values) ?? ""
        tensor.message(
          13,
          ProtoTree(.entry) {
            $0.text(1, key)
            $0.text(2, value)
          })
      }
      tensor.int(14, random.int(0..<3))
    },
    Corruption("a name of another value", in: [.tensor, .value]) { message, random in
      let number: UInt64 = message.kind == .tensor ? 8 : 1
      message.fields.removeAll { $0.number == number }
      message.text(number, random.pick(["x", "y", "c", "v1", "w2", "i3", ""]) ?? "x")
    },
    Corruption("a sparse tensor", in: [.graph]) { graph, random in
      let number = random.pick(extremes) ?? 0
      graph.message(
        15,
        ProtoTree(.shape) { sparse in
          sparse.message(1, ProtoTree(.tensor) { $0.text(8, "x") })
          sparse.int(3, number)
        })
    },
  ]
}
