import Foundation
import GraphIR
import Interpreter
import OnnxFile
import Operators
import Rewrite
import TensorFiles
import Tensors
import TestSupport
import Testing
import TypeInference

/// ONNX's own node cases (`Tests/Fixtures/operators`), each run in four forms.
@Suite struct ConformanceTests {
  @Test func everyCaseGivesTheExpectedResultsInEveryForm() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: Fixtures.operatorCases)
      .filter { $0.hasSuffix(".onnx") }.map { String($0.dropLast(5)) }.sorted()
    #expect(names.count > 1200)
    var waivers = try Waiver.all()
    var failures: [(name: String, reason: String)] = []
    var waivedCount = 0
    for name in names {
      guard let reason = failure(of: name) else { continue }
      if let position = waivers.firstIndex(where: { $0.covers(name) }) {
        waivers[position].isUsed = true
        waivedCount += 1
      } else {
        failures.append((name, reason))
      }
    }
    for (name, reason) in failures { Issue.record("\(name): \(reason)") }
    for waiver in waivers where !waiver.isUsed { Issue.record("unused waiver '\(waiver.pattern)'") }
    let passedCount = names.count - waivedCount - failures.count
    print(
      "ONNX node cases: \(passedCount) passed, \(waivedCount) waived, \(failures.count) failed")
    #expect(passedCount * 100 >= names.count * 95, "fewer than 95 % of the cases pass")
  }

  /// What is wrong with a case, nil if nothing is.
  private func failure(of name: String) -> String? {
    do {
      let node = try NodeCase(name)
      for form in NodeCase.Form.allCases {
        if let difference = try node.difference(in: form) { return "\(form): \(difference)" }
      }
      return nil
    } catch {
      return "\(error)".split(separator: "\n").prefix(3).joined(separator: " ")
    }
  }
}

/// A line of the waiver file: a name, or the beginning of names before `*`, then the reason.
private struct Waiver {
  let pattern: Substring
  var isUsed = false

  static func all() throws -> [Waiver] {
    let text = String(decoding: try Fixtures.bytes("operators/waivers.txt"), as: UTF8.self)
    return try text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
      let words = line.split(separator: " ", maxSplits: 1)
      try #require(words.count == 2, "the waiver '\(line)' gives no reason")
      return Waiver(pattern: words[0])
    }
  }

  func covers(_ name: String) -> Bool {
    pattern.hasSuffix("*") ? name.hasPrefix(pattern.dropLast()) : pattern == name
  }
}

/// One case.
private struct NodeCase {
  /// What the model goes through before it runs.
  enum Form: CaseIterable {
    /// Nothing.
    case imported
    /// Types are inferred and compared with those of the results.
    case typed
    /// Every tensor input is a constant, so that what can be computed while planning is.
    case folded
    /// The graph is written, and read again.
    case reloaded
  }

  private let model: OnnxModel
  private let data: SafetensorsFile
  private let tolerance: [Double]

  init(_ name: String) throws {
    model = try OnnxModel.read("\(Fixtures.operatorCases)/\(name).onnx")
    data = try SafetensorsFile(readingFrom: "\(Fixtures.operatorCases)/\(name).safetensors")
    tolerance =
      data.entry("tolerance") == nil
      ? [1e-3, 1e-7] : try data.tensor("tolerance").elements(as: Double.self)
  }

  /// What is wrong with the results, nil if nothing is.
  func difference(in form: Form) throws -> String? {
    var graph = model.graph
    var options = EngineOptions()
    switch form {
    case .imported: break
    case .typed:
      _ = try PassPipeline([InferTypes()]).run(on: &graph)
      options.checksResultTypes = true
    case .folded:
      for input in graph.inputs {
        if case .tensor(let tensor)? = try value("in/\(graph.name(of: input))") {
          graph.setInitializer(StoredTensor(tensor), of: input)
        }
      }
    case .reloaded: graph = try reloaded(graph)
    }
    let engine = try Engine(graph, options: options)
    var feeds: [ValueID: RuntimeValue] = [:]
    for input in graph.inputs where form != .folded || graph.initializers[input] == nil {
      feeds[input] = try value("in/\(graph.name(of: input))")
      if feeds[input] == nil, case .optional = graph.type(of: input) { feeds[input] = .absent }
    }
    let results = try engine.run(feeds)
    for (output, result) in zip(graph.outputs, results) {
      let expected = try value("out/\(graph.name(of: output))")
      if let difference = try difference(of: result, from: expected) {
        return "'\(graph.name(of: output))': \(difference)"
      }
    }
    return nil
  }

  private func reloaded(_ graph: Graph) throws -> Graph {
    if let made = try? OnnxModel.make(from: graph, irVersion: model.irVersion) {
      return made.graph
    }
    let folder = try TemporaryFolder()
    try model.write(graph, to: folder.path("model.onnx"))
    return try OnnxModel.read(folder.path("model.onnx")).graph
  }

  private func value(_ key: String) throws -> RuntimeValue? {
    if data.entry(key) != nil { return .tensor(try data.tensor(key)) }
    guard data.entry("\(key)/sequence") != nil else { return nil }
    let count = try data.tensor("\(key)/sequence").elements(as: Int64.self)[0]
    return .sequence(try (0..<count).map { try #require(try value("\(key)/\($0)")) })
  }

  private func difference(
    of result: RuntimeValue, from expected: RuntimeValue?
  ) throws -> String? {
    switch (result, expected) {
    case (.absent, nil): return nil
    case (.tensor(let tensor), .tensor(let other)?): return try difference(of: tensor, from: other)
    case (.sequence(let elements), .sequence(let others)?):
      guard elements.count == others.count else {
        return "\(elements.count) elements are not \(others.count)"
      }
      for (element, other) in zip(elements, others) {
        if let difference = try difference(of: element, from: other) { return difference }
      }
      return nil
    default: return "the result is of another kind"
    }
  }

  /// Results of half types may be two units in the last place away: the reference rounds between
  /// the steps of `Attention`.
  private func difference(of result: Tensor, from expected: Tensor) throws -> String? {
    guard result.dataType == expected.dataType, result.shape == expected.shape else {
      return "\(result.dataType)\(result.shape) is not \(expected.dataType)\(expected.shape)"
    }
    guard result.dataType.isFloatingPoint else {
      return result.bytes == expected.bytes ? nil : "the elements differ"
    }
    let units: [DataType: Double] = [.bfloat16: 0x1p-6, .float16: 0x1p-9]
    let relative = max(tolerance[0], units[result.dataType] ?? 0)
    for (a, b) in zip(try result.doubles(), try expected.doubles())
    where a != b && !(a.isNaN && b.isNaN) && !(abs(a - b) <= tolerance[1] + relative * abs(b)) {
      return "\(a) is not \(b)"
    }
    return nil
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
