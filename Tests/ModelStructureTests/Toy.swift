import GraphIR
import ModelStructure
import Rewrite
import Tensors
import TypeInference

/// Builds small transformers operator by operator, without names.
struct Toy {
  var graph = Graph()
  var width = 8

  /// An input of tokens, `float32[1, tokens, width]` unless a shape is given.
  mutating func input(_ name: Name, tokens: Int = 6, _ shape: [Int]? = nil) -> ValueID {
    graph.addInput(
      name, type: .tensor(.float32, (shape ?? [1, tokens, width]).map { Dimension($0) }))
  }

  mutating func weight(_ shape: [Int]) -> ValueID {
    let count = shape.reduce(1, *)
    guard let sizes = try? Shape(shape) else { return graph.emit("Constant", []) }
    return graph.constant([Float](repeating: 0.5, count: count), shape: sizes)
  }

  mutating func integers(_ numbers: [Int]) -> ValueID {
    graph.constant(numbers.map { Int64($0) }, shape: .vector(numbers.count))
  }

  mutating func op(_ op: OpKey, _ inputs: [ValueID], _ attributes: [Attribute] = []) -> ValueID {
    graph.emit(op, inputs, attributes)
  }

  mutating func add(_ a: ValueID, _ b: ValueID) -> ValueID { op("Add", [a, b]) }

  mutating func mul(_ a: ValueID, _ b: ValueID) -> ValueID { op("Mul", [a, b]) }

  mutating func linear(_ x: ValueID, from: Int? = nil, to: Int? = nil) -> ValueID {
    op("MatMul", [x, weight([from ?? width, to ?? width])])
  }

  mutating func norm(_ x: ValueID) -> ValueID {
    op("LayerNormalization", [x, weight([width])])
  }

  mutating func concat(_ values: [ValueID], axis: Int = 1) -> ValueID {
    op("Concat", values, [Attribute("axis", .int(axis))])
  }

  mutating func slice(_ x: ValueID, _ range: Range<Int>) -> ValueID {
    op("Slice", [x, integers([range.lowerBound]), integers([range.upperBound]), integers([1])])
  }

  mutating func transpose(_ x: ValueID, _ axes: [Int]) -> ValueID {
    op("Transpose", [x], [Attribute("perm", .ints(axes))])
  }

  /// One head of attention of queries over keys and values, projections included.
  mutating func attention(_ x: ValueID, over others: ValueID? = nil) -> ValueID {
    let keys = linear(others ?? x)
    let values = linear(others ?? x)
    let scores = op("MatMul", [linear(x), transpose(keys, [0, 2, 1])])
    let weights = op("Softmax", [scores], [Attribute("axis", .int(-1))])
    return linear(op("MatMul", [weights, values]))
  }

  mutating func mlp(_ x: ValueID, hidden: Int = 16) -> ValueID {
    linear(op("Gelu", [linear(x, to: hidden)]), from: hidden)
  }

  /// Pre-norm self-attention and mlp.
  mutating func block(_ x: ValueID) -> ValueID {
    let middle = add(x, attention(norm(x)))
    return add(middle, mlp(norm(middle)))
  }

  /// A chunked projection of the timestep embedding.
  mutating func chunks(_ count: Int, of embedding: ValueID) -> [ValueID] {
    let all = linear(embedding, to: count * width)
    let sizes = integers([Int](repeating: width, count: count))
    let results = (0..<count).map { _ in graph.makeValue("") }
    graph.append(
      Node(
        "Split", inputs: [all, sizes], outputs: results, attributes: [Attribute("axis", .int(-1))]))
    return results
  }

  mutating func modulated(_ x: ValueID, scale: ValueID, shift: ValueID) -> ValueID {
    let one = weight([1])
    return add(mul(norm(x), add(scale, one)), shift)
  }

  /// Self-attention and mlp with shift, scale and gate each.
  mutating func block(_ x: ValueID, modulatedBy c: [ValueID]) -> ValueID {
    let attended = mul(c[2], attention(modulated(x, scale: c[1], shift: c[0])))
    let middle = add(x, attended)
    return add(middle, mul(c[5], mlp(modulated(middle, scale: c[4], shift: c[3]))))
  }

  /// One step of a dual-stream model: joint attention, then an mlp for each stream.
  mutating func dualBlock(_ x: ValueID, _ e: ValueID, tokens: Int = 6, text: Int = 4)
    -> (ValueID, ValueID)
  {
    let joined = concat([linear(norm(x)), linear(norm(e))])
    let mixed = attention(joined)
    let middle = add(x, linear(slice(mixed, 0..<tokens)))
    let middleText = add(e, linear(slice(mixed, tokens..<(tokens + text))))
    return (add(middle, mlp(norm(middle))), add(middleText, mlp(norm(middleText))))
  }

  /// Attention and mlp side by side in one addition.
  mutating func parallelBlock(_ x: ValueID) -> ValueID {
    let n = norm(x)
    let both = concat([attention(n), op("Gelu", [linear(n, to: 16)])], axis: 2)
    return add(x, linear(both, from: 24))
  }

  /// The structure, with or without inferred types.
  mutating func structure(
    output: ValueID, latents: ValueID? = nil, typed: Bool = true
  ) throws -> ModelStructure {
    if graph.outputs.isEmpty { graph.addOutput(output) }
    var graph = graph
    if typed { _ = try PassPipeline([InferTypes()]).run(on: &graph) }
    return ModelStructure(of: graph, latents: latents)
  }
}

extension ModelStructure {
  /// Blocks by group and family, one line for each stretch of equal ones:
  /// `blocks blocks[0-2] x1: self mlp`, where `x1` is the number of streams.
  var summary: String {
    var lines: [(text: String, first: Int, last: Int, rest: String)] = []
    for (title, group) in [("blocks", blocks), ("refiners", refiners), ("control", control)] {
      for block in group {
        let modules = block.modules.map { module in
          let kind = module.kind.rawValue.replacing("_attention", with: "")
          return module.stream == 0 ? kind : "\(kind)'\(module.stream)"
        }
        let text = "\(title) \(block.family)"
        let rest = "x\(block.streams.count): " + modules.joined(separator: " ")
        if let last = lines.last, last.text == text, last.rest == rest, last.last + 1 == block.index
        {
          lines[lines.count - 1].last = block.index
        } else {
          lines.append((text, block.index, block.index, rest))
        }
      }
    }
    return lines.map { "\($0.text)[\($0.first)-\($0.last)] \($0.rest)" }.joined(separator: "\n")
  }
}
