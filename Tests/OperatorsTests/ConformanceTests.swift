import Foundation
import GraphIR
import Operators
import TestSupport
import Tensors
import Testing

/// ONNX's own single-node cases (`Tests/Fixtures/operators`), run and typed.
@Suite struct ConformanceTests {
  /// Why cases whose names begin so cannot run; each must be refused.
  static let waivers = [
    "attention_23_fullymasked_qk_matmul_output": "the scores are not a result",
    "attention_24_fullymasked_qk_matmul_output": "the scores are not a result",
    "attention_24_qk_matmul_output": "the scores are not a result",
    "attention_4d_causal_nonpad": "lengths of padded keys are not read",
    "attention_4d_causal_padded_kv": "lengths of padded keys are not read",
    "attention_4d_gqa_causal_nonpad": "lengths of padded keys are not read",
    "attention_4d_padded_kv": "lengths of padded keys are not read",
    "edge_pad": "only constants pad",
    "layer_normalization": "mean and deviation are not results",
    "mod_float16_mixed_sign_fmod_0": "floats need fmod = 1 in the operator sets supported",
    "mod_float32_mixed_sign_fmod_0": "floats need fmod = 1 in the operator sets supported",
    "mod_float64_mixed_sign_fmod_0": "floats need fmod = 1 in the operator sets supported",
    "mod_float_edge_cases_fmod_0": "floats need fmod = 1 in the operator sets supported",
    "range_bfloat16": "halves have no range",
    "range_float16": "halves have no range",
    "reflect_pad": "only constants pad",
    "wrap_pad": "only constants pad",
  ]

  @Test func everyCaseGivesTheExpectedResults() throws {
    let data = Data(try Fixtures.bytes("operators/cases.json"))
    let cases = try JSONDecoder().decode([NodeCase].self, from: data)
    #expect(cases.count > 500)
    for prefix in Self.waivers.keys where !cases.contains(where: { $0.name.hasPrefix(prefix) }) {
      Issue.record("there is no case \(prefix)")
    }
    for node in cases { try check(node) }
  }

  private func check(_ node: NodeCase) throws {
    let isWaived = Self.waivers.keys.contains { node.name.hasPrefix($0) }
    let results: [Tensor]
    do {
      results = try OperatorHarness.run(
        OpKey(node.op), node.inputs.map { try $0?.tensor() }, node.nodeAttributes(),
        opset: node.opset, outputCount: node.outputs.count, symbolic: false)
    } catch {
      #expect(isWaived && error is OperatorError, "\(node.name): \(error)")
      return
    }
    #expect(!isWaived, "\(node.name) is waived but runs")
    for (position, expected) in node.outputs.enumerated() {
      guard let expected = try expected?.tensor() else { continue }
      let result = results[position]
      let difference = try node.difference(of: result, from: expected)
      #expect(difference == nil, "\(node.name), result \(position): \(difference ?? "")")
    }
  }
}

/// One case of the file.
private struct NodeCase: Decodable {
  let name: String
  let op: String
  let opset: Int
  let rtol: Double
  let atol: Double
  let attributes: [String: AttributeText]
  let inputs: [TensorText?]
  let outputs: [TensorText?]

  func nodeAttributes() throws -> [Attribute] {
    try attributes.sorted { $0.key < $1.key }.map { Attribute($0.key, try $0.value.value()) }
  }

  /// What is wrong with a result, nil if nothing is.
  ///
  /// Results of half types may be two units in the last place away: the reference rounds between
  /// the steps of `Attention`.
  func difference(of result: Tensor, from expected: Tensor) throws -> String? {
    guard result.dataType == expected.dataType, result.shape == expected.shape else {
      return "\(result.dataType)\(result.shape) is not \(expected.dataType)\(expected.shape)"
    }
    guard result.dataType.isFloatingPoint else {
      return result.bytes == expected.bytes ? nil : "the elements differ"
    }
    let units: [DataType: Double] = [.bfloat16: 0x1p-6, .float16: 0x1p-9]
    let tolerance = max(rtol, units[result.dataType] ?? 0)
    for (a, b) in zip(try result.doubles(), try expected.doubles())
    where a != b && !(a.isNaN && b.isNaN) && !(abs(a - b) <= atol + tolerance * abs(b)) {
      return "\(a) is not \(b)"
    }
    return nil
  }
}

private struct AttributeText: Decodable {
  var int: Int?
  var ints: [Int]?
  var float: Float?
  var floats: [Float]?
  var string: String?
  var tensor: TensorText?

  func value() throws -> AttributeValue {
    if let int { return .int(int) }
    if let ints { return .ints(ints) }
    if let float { return .float(float) }
    if let floats { return .floats(floats) }
    if let string { return .text(string) }
    return .tensor(StoredTensor(try #require(tensor).tensor()))
  }
}

/// `[data type, dimensions, base64]`.
private struct TensorText: Decodable {
  let dataType: DataType
  let shape: Shape
  let bytes: Data

  init(from decoder: any Decoder) throws {
    var parts = try decoder.unkeyedContainer()
    dataType = try #require(DataType(rawValue: try parts.decode(Int32.self)))
    shape = try Shape(try parts.decode([Int].self))
    bytes = try #require(Data(base64Encoded: try parts.decode(String.self)))
  }

  func tensor() throws -> Tensor {
    let tensor = try Tensor(uninitialized: dataType, shape)
    try #require(tensor.byteCount == bytes.count)
    bytes.copyBytes(
      to: UnsafeMutableRawBufferPointer(start: tensor.base, count: tensor.byteCount))
    return tensor
  }
}

extension Tensor {
  fileprivate var bytes: Data {
    let dense = contiguous()
    return Data(bytes: dense.base, count: dense.byteCount)
  }

  /// The elements of a floating-point tensor, converted by `Cast`.
  fileprivate func doubles() throws -> [Double] {
    let target = [Attribute("to", .int(Int(DataType.float64.rawValue)))]
    return try OperatorHarness.run("Cast", [self], target)[0].elements()
  }
}
