import GraphIR
import Interpreter
import Operators
import Rewrite
import Tensors
import Testing

/// Runs a graph of half types with every operator by itself and with fusions, and in `float32`.
struct HalfHarness {
  /// What each rule did, one `rule: sentence` a change.
  let changes: [String]
  /// Why rules left nodes alone, one `rule: reason` each.
  let declined: [String]

  /// Expects outputs that are at least as near to those of `float32` as the unfused ones are; with
  /// `isExact` the bits of the unfused ones.
  ///
  /// `build` makes the graph for an element type; feeds are rounded to it.
  @discardableResult
  init(
    _ type: DataType, _ feeds: [Name: Tensor], isExact: Bool = false,
    _ build: (_ graph: inout Graph, _ type: DataType) throws -> Void
  ) throws {
    let narrow = try feeds.mapValues { try $0.converted(to: type) }
    let widened = try narrow.mapValues { try $0.converted(to: .float32) }
    var graph = Graph(opsets: ["": 20])
    try build(&graph, type)
    var reference = Graph(opsets: ["": 20])
    try build(&reference, .float32)
    let engine = try Engine(graph, options: EngineOptions(threads: 2, checksResultTypes: true))
    let plain = try Engine(graph, options: EngineOptions(threads: 2, fusesOperators: false))
    let exact = try Engine(reference, options: EngineOptions(threads: 2, fusesOperators: false))
    func output(_ engine: Engine, _ feeds: [Name: Tensor]) throws -> [Float] {
      let result = try #require(try engine.run(engine.converted(feeds))["y"])
      return try result.converted(to: .float32).elements(as: Float.self)
    }
    let (fused, parts) = (try output(engine, narrow), try output(plain, narrow))
    let due = try output(exact, widened)
    if isExact {
      #expect(fused == parts)
    } else {
      let (own, other) = (Self.distance(fused, due), Self.distance(parts, due))
      #expect(own <= other, "fused \(own), one by one \(other)")
      #expect(own > 0 && other < 0.1, "\(own), \(other): the comparison says nothing")
    }
    let reports = try engine.plan(for: narrow.mapValues(\.shape)).fusions
    changes = reports.flatMap { report in report.changes.map { "\(report.pass): \($0.message)" } }
      .filter { !$0.hasPrefix("dead-code") }
    declined = reports.flatMap { report in
      report.declined.map { "\(report.pass): \($0.message)" }
    }
  }

  /// The root of the mean square of differences.
  private static func distance(_ a: [Float], _ b: [Float]) -> Float {
    let sum = zip(a, b).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
    return Float((sum / Double(max(1, a.count))).squareRoot())
  }
}

extension Graph {
  /// A stored tensor rounded to a type.
  mutating func stored(_ tensor: Tensor, as type: DataType) throws -> ValueID {
    addInitializer("stored", StoredTensor(try tensor.converted(to: type)))
  }

  /// A number of a type.
  mutating func scalar(_ number: Float, as type: DataType) throws -> ValueID {
    try stored(Tensor([number], shape: .scalar), as: type)
  }

  /// A Cast.
  mutating func cast(_ value: ValueID, to type: DataType) -> ValueID {
    emit("Cast", [value], [Attribute("to", .int(Int(type.rawValue)))])
  }
}
