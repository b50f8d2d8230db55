import Foundation
import GraphIR
import Legalization
import Rewrite
import Tensors
import Testing

@Suite("ONNX Runtime's own operators") struct ContribOperatorTests {
  private func contrib(_ type: String) -> OpKey { OpKey(type, domain: "com.microsoft") }

  private func graph() -> Graph {
    Graph(name: "contrib", opsets: ["": 20, "com.microsoft": 1])
  }

  private func near(_ tensor: Tensor, _ expected: [Float]) -> Bool {
    let numbers = tensor.elements(as: Float.self)
    return numbers.count == expected.count
      && zip(numbers, expected).allSatisfy { abs($0 - $1) < 1e-6 }
  }

  @Test("FusedMatMul is alpha · aᵀ · bᵀ")
  func fusedMatMul() throws {
    var graph = graph()
    let a = graph.addInput("a", type: .tensor(.float32, [2, 1]))
    let b = graph.addInput("b", type: .tensor(.float32, [3, 2]))
    graph.addOutput(
      graph.emit(
        contrib("FusedMatMul"), [a, b],
        [
          Attribute("alpha", .float(0.5)), Attribute("transA", .int(1)),
          Attribute("transB", .int(1)),
        ], name: "y", type: .tensor(.float32, [1, 3])))
    let (rewritten, _) = try graph.applying(FusedMatMulDecomposition())
    #expect(rewritten.operators == ["Transpose", "Transpose", "MatMul", "Mul"])
    let y = try rewritten.result([
      "a": Tensor([Float(2), 4], shape: try Shape([2, 1])),
      "b": Tensor([Float(1), 2, 3, 4, 5, 6], shape: try Shape([3, 2])),
    ])
    #expect(near(y, [5, 11, 17]))
  }

  @Test("QuickGelu is x · sigmoid(alpha · x)", arguments: [1, 1.702] as [Float])
  func quickGelu(alpha: Float) throws {
    var graph = graph()
    let x = graph.addInput("x", type: .tensor(.float32, [3]))
    graph.addOutput(
      graph.emit(
        contrib("QuickGelu"), [x], alpha == 1.702 ? [] : [Attribute("alpha", .float(alpha))],
        name: "y", type: .tensor(.float32, [3])))
    let (rewritten, _) = try graph.applying(QuickGeluDecomposition())
    #expect(rewritten.operators.allSatisfy { $0.domain.isEmpty })
    let numbers: [Float] = [-1, 0.25, 3]
    let y = try rewritten.result(["x": Tensor(numbers)])
    #expect(near(y, numbers.map { $0 / (1 + Foundation.exp(-alpha * $0)) }))
  }

  @Test("SkipLayerNormalization is a residual addition and a LayerNormalization")
  func skipLayerNormalization() throws {
    var graph = graph()
    let type = ValueType.tensor(.float32, [1, 1, 2])
    let x = graph.addInput("x", type: type)
    let skip = graph.addInput("skip", type: type)
    let vectors = [[Float(1), 2], [10, 20], [0.5, 0.5]].enumerated().map {
      graph.constant($1, shape: .vector(2), name: Name("v\($0)"))
    }
    let sum = graph.makeValue("sum", type: type)
    let y = graph.makeValue("y", type: type)
    graph.append(
      Node(
        contrib("SkipLayerNormalization"), inputs: [x, skip] + vectors,
        outputs: [y, nil, nil, sum], attributes: [Attribute("epsilon", .float(0))]))
    graph.addOutput(y)
    graph.addOutput(sum)
    let (rewritten, _) = try graph.applying(SkipNormalization())
    #expect(rewritten.operators == ["Add", "Add", "LayerNormalization"])
    let pair = try Shape([1, 1, 2])
    // The sums are 1.5 and 5.5: normalised -1 and 1.
    let result = try rewritten.result([
      "x": Tensor([Float(1), 3], shape: pair), "skip": Tensor([Float(0), 2], shape: pair),
    ])
    #expect(near(result, [9, 22]))
  }

  @Test("a norm whose statistics are read is left alone, with the reason")
  func statistics() throws {
    var graph = graph()
    let type = ValueType.tensor(.float32, [1, 1, 2])
    let x = graph.addInput("x", type: type)
    let gamma = graph.constant([Float(1), 1], shape: .vector(2), name: "gamma")
    let (y, mean) = (graph.makeValue("y", type: type), graph.makeValue("mean"))
    graph.append(
      Node(contrib("SkipLayerNormalization"), inputs: [x, x, gamma], outputs: [y, mean]))
    graph.addOutput(y)
    graph.addOutput(mean)
    let (rewritten, report) = try graph.applying(SkipNormalization())
    #expect(rewritten.text() == graph.text())
    #expect(report.declined.map(\.message) == ["mean or deviation of the norm is read"])
  }
}
