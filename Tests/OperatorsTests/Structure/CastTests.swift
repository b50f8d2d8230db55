import GraphIR
import Operators
import Tensors
import Testing

@Suite struct CastTests {
  private func cast(_ x: Tensor, to type: DataType) throws -> Tensor {
    try OperatorHarness.run("Cast", [x], [Attribute("to", .int(Int(type.rawValue)))])[0]
  }

  @Test func floatsLoseTheirFraction() throws {
    let x = Tensor([1.5, -1.5, 0, 300.7] as [Float])
    #expect(try cast(x, to: .int32).integers() == [1, -1, 0, 300])
    #expect(try cast(x, to: .float64).elements() == [1.5, -1.5, 0, Double(Float(300.7))])
  }

  @Test func halvesRoundToNearest() throws {
    let half = try cast(Tensor([0.1, 65519, 1e-8, -2.5] as [Float]), to: .float16)
    #expect(half.reinterpreted(as: .uint16).integers() == [11878, 31743, 0, 49408])
    let brain = try cast(Tensor([0.1, 3.141_592_7, 1e38, -1.003_906_25] as [Float]), to: .bfloat16)
    #expect(brain.reinterpreted(as: .uint16).integers() == [15821, 16457, 32406, 49024])
    #expect(try cast(brain, to: .float32).floats[1] == 3.140_625)
    #expect(try cast(half, to: .bfloat16).dataType == .bfloat16)
  }

  @Test func everythingButZeroIsTrue() throws {
    let x = Tensor([0, -0.0, .nan, 2] as [Float])
    #expect(try cast(x, to: .bool).elements() == [false, false, true, true])
    #expect(try cast(Tensor([true, false]), to: .float32).floats == [1, 0])
  }

  @Test func stridedOperandsAreReadInOrder() throws {
    let x = try Tensor.counting(2, 3).transposed([1, 0])
    #expect(try cast(x, to: .int64).elements() == [0, 3, 1, 4, 2, 5] as [Int64])
  }

  @Test func theSameTypeIsNotCopied() throws {
    let x = try Tensor.counting(2)
    #expect(try cast(x, to: .int32).storage === x.storage)
  }

  @Test func knownElementsSurviveIntegerCasts() throws {
    func elements(_ fact: ValueFact, _ type: DataType) throws -> [Dimension]? {
      try OperatorHarness.infer("Cast", [fact], [Attribute("to", .int(Int(type.rawValue)))])[0]
        .elements
    }
    #expect(try elements(.sizes(s, 4), .int32) == [s, 4])
    #expect(try elements(.sizes(s, 4), .float32) == nil)
    #expect(try elements(.int64(5, 0), .bool) == [1, 0])
    #expect(try elements(.int64(1 << 40), .int32) == nil)
  }

  @Test func typesThatAreNotImplementedAreNamed() {
    let float8 = [Attribute("to", .int(17)), Attribute("saturate", .int(1))]
    let refusal = OperatorHarness.refusal("Cast", [ValueFact(.float32, [1])], float8)
    #expect(refusal?.code == "unsupported-operator")
  }
}
