/// Random models that obey every rule of ONNX, small and different in what they use.
///
/// All values are float32 of shape [2, 3] unless an operator says otherwise for a step, so that any
/// operator may follow any other. The graph is the last field, so that every truncation breaks it.
package struct ModelGenerator {
  private var random: SplitMix
  private var count = 0

  /// A generator whose models follow from the seed.
  package init(seed: UInt64) {
    random = SplitMix(seed: seed)
  }

  /// The next model: inputs `x` and `c`, a float32[2, 3] and a bool, and outputs `y` and `z`.
  package mutating func model() -> ProtoTree {
    let version = random.int(17..<22)
    let main = graph(depth: 0, values: ["x"])
    let hasNames = random.chance(2)
    return ProtoTree(.model) { model in
      model.int(1, 8)
      if hasNames { model.text(2, "generator") }
      model.message(
        8,
        ProtoTree(.operatorSet) {
          $0.text(1, "")
          $0.int(2, version)
        })
      if hasNames {
        model.message(
          14,
          ProtoTree(.entry) {
            $0.text(1, "key")
            $0.text(2, "value")
          })
      }
      model.message(7, main)
    }
  }

  private mutating func name(_ prefix: String) -> String {
    count += 1
    return "\(prefix)\(count)"
  }

  /// A graph over values of the graphs around it; the main graph has inputs.
  private mutating func graph(depth: Int, values outer: [String]) -> ProtoTree {
    var tree = ProtoTree(.graph)
    var values = outer
    var nodes: [ProtoTree] = []
    for _ in 0..<random.int(1..<(depth == 0 ? 9 : 3)) {
      let result = name("v")
      let operand = random.pick(values) ?? "x"
      let other = random.pick(values) ?? "x"
      nodes += node(result, operand, other, depth: depth, values: values, tree: &tree)
      values.append(result)
    }
    for node in nodes { tree.message(1, node) }
    tree.text(2, name("graph"))
    if depth == 0 {
      tree.message(11, Self.value("x", type: 1, shape: [2, 3]))
      tree.message(11, Self.value("c", type: 9, shape: []))
      for (output, source) in [("y", values[values.count - 1]), ("z", random.pick(values) ?? "x")] {
        tree.fields.insert(
          .init(number: 1, value: .message(Self.node("Identity", [source], [output]))),
          at: tree.fields.lastIndex { $0.number == 1 }.map { $0 + 1 } ?? 0)
        tree.message(12, Self.value(output, type: 1, shape: [2, 3]))
      }
    } else {
      tree.message(12, Self.value(values[values.count - 1], type: 1, shape: [2, 3]))
    }
    if random.chance(3), let value = values.last {
      tree.message(13, Self.value(value, type: 1, shape: [2, 3]))
    }
    return tree
  }

  /// Nodes that make `result`, with the initializers they read.
  private mutating func node(
    _ result: String, _ a: String, _ b: String, depth: Int, values: [String],
    tree: inout ProtoTree
  ) -> [ProtoTree] {
    func weight(_ dims: [Int], _ numbers: [Float]) -> String {
      let id = name("w")
      tree.message(5, floats(id, dims, numbers))
      return id
    }
    func integers(_ numbers: [Int]) -> String {
      let id = name("i")
      tree.message(5, Self.integers(id, numbers))
      return id
    }
    let middle = name("m")
    switch random.int(0..<20) {
    case 0:
      return [Self.node(random.pick(["Neg", "Relu", "Sigmoid", "Tanh"]) ?? "Neg", [a], [result])]
    case 1: return [Self.node(random.pick(["Add", "Mul", "Sub"]) ?? "Add", [a, b], [result])]
    case 2:
      return [
        Self.node("MatMul", [a, weight([3, 3], [1, 0, 2, 0, 1, 0, 0.5, 0, 1])], [result])
      ]
    case 3:
      return [
        Self.node("Reshape", [a, integers([3, -1])], [middle]),
        Self.node("Transpose", [middle], [result]) { Self.attribute(&$0, "perm", ints: [1, 0]) },
      ]
    case 4:
      return [
        Self.node("Concat", [a, b], [middle]) { Self.attribute(&$0, "axis", int: 0) },
        Self.node("Slice", [middle, integers([1]), integers([3]), integers([0])], [result]),
      ]
    case 5: return [Self.node("Softmax", [a], [result]) { Self.attribute(&$0, "axis", int: -1) }]
    case 6:
      return [
        Self.node("Cast", [a], [middle]) { Self.attribute(&$0, "to", int: 11) },
        Self.node("Cast", [middle], [result]) { Self.attribute(&$0, "to", int: 1) },
      ]
    case 7 where depth < 3:
      let branches = [
        graph(depth: depth + 1, values: values), graph(depth: depth + 1, values: values),
      ]
      return [
        Self.node("If", ["c"], [result]) { node in
          for (name, graph) in zip(["then_branch", "else_branch"], branches) {
            node.message(
              5,
              ProtoTree(.attribute) {
                $0.text(1, name)
                $0.message(6, graph)
                $0.int(20, 5)
              })
          }
        }
      ]
    case 8:
      let tensor = floats("", [2, 3], [1, 2, 3, 4, 5, 6])
      return [
        Self.node("Constant", [], [middle]) { node in
          node.message(
            5,
            ProtoTree(.attribute) {
              $0.text(1, "value")
              $0.message(5, tensor)
              $0.int(20, 4)
            })
        }, Self.node("Add", [a, middle], [result]),
      ]
    case 9: return [Self.node("Gather", [a, integers([1, 0])], [result])]
    case 10:
      return [
        Self.node("Unsqueeze", [a, integers([0])], [middle]),
        Self.node("Squeeze", [middle, integers([0])], [result]),
      ]
    case 11:
      return [
        Self.node("ReduceMax", [a], [middle]) { Self.attribute(&$0, "keepdims", int: 0) },
        Self.node("Add", [a, middle], [result]),
      ]
    case 12:
      return [
        Self.node("LayerNormalization", [a, weight([3], [1, 1, 1])], [result]) { node in
          node.message(
            5,
            ProtoTree(.attribute) {
              $0.text(1, "epsilon")
              $0.float(2, 1e-5)
              $0.int(20, 1)
            })
        }
      ]
    case 13:
      return [
        Self.node("Gemm", [a, weight([3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9])], [result]) {
          Self.attribute(&$0, "transB", int: 1)
        }
      ]
    case 14:
      let second = name("m")
      return [
        Self.node("Split", [a, integers([1, 1])], [middle, second]) {
          Self.attribute(&$0, "axis", int: 0)
        },
        Self.node("Concat", [second, middle], [result]) { Self.attribute(&$0, "axis", int: 0) },
      ]
    case 15:
      return [
        Self.node("ReduceMax", [a], [middle]) { Self.attribute(&$0, "keepdims", int: 1) },
        Self.node("Expand", [middle, integers([2, 3])], [result]),
      ]
    case 16:
      return [
        Self.node("Shape", [a], [middle]), Self.node("Reshape", [b, middle], [result]),
      ]
    case 17: return [Self.node("Clip", [a, weight([], [-1]), ""], [result])]
    case 18:
      return [
        Self.node("Less", [a, b], [middle]), Self.node("Where", [middle, a, b], [result]),
      ]
    default: return [Self.node("Identity", [a], [result])]
    }
  }

  private mutating func floats(_ name: String, _ dims: [Int], _ numbers: [Float]) -> ProtoTree {
    let isRaw = random.chance(2)
    return ProtoTree(.tensor) { tensor in
      for dim in dims { tensor.int(1, dim) }
      tensor.int(2, 1)
      if !name.isEmpty { tensor.text(8, name) }
      let bytes = numbers.flatMap { number in
        [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: number.bitPattern >> UInt32($0)) }
      }
      tensor.data(isRaw ? 9 : 4, bytes)
    }
  }

  private static func integers(_ name: String, _ numbers: [Int]) -> ProtoTree {
    ProtoTree(.tensor) { tensor in
      tensor.int(1, numbers.count)
      tensor.int(2, 7)
      for number in numbers { tensor.int(7, number) }
      tensor.text(8, name)
    }
  }

  private static func node(
    _ op: String, _ inputs: [String], _ outputs: [String],
    _ build: (inout ProtoTree) -> Void = { _ in }
  ) -> ProtoTree {
    ProtoTree(.node) { node in
      for input in inputs { node.text(1, input) }
      for output in outputs { node.text(2, output) }
      node.text(4, op)
      build(&node)
    }
  }

  private static func attribute(_ node: inout ProtoTree, _ name: String, int: Int) {
    node.message(
      5,
      ProtoTree(.attribute) {
        $0.text(1, name)
        $0.int(3, int)
        $0.int(20, 2)
      })
  }

  private static func attribute(_ node: inout ProtoTree, _ name: String, ints: [Int]) {
    node.message(
      5,
      ProtoTree(.attribute) { attribute in
        attribute.text(1, name)
        for int in ints { attribute.int(8, int) }
        attribute.int(20, 7)
      })
  }

  private static func value(_ name: String, type: Int, shape: [Int]) -> ProtoTree {
    ProtoTree(.value) { value in
      value.text(1, name)
      value.message(
        2,
        ProtoTree(.type) {
          $0.message(
            1,
            ProtoTree(.tensorType) { tensor in
              tensor.int(1, type)
              tensor.message(
                2,
                ProtoTree(.shape) { list in
                  for size in shape {
                    list.message(1, ProtoTree(.dimension) { $0.int(1, size) })
                  }
                })
            })
        })
    }
  }
}
