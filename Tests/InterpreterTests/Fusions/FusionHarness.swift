import GraphIR
import Interpreter
import Rewrite
import Tensors
import Testing

/// Runs a graph with every operator by itself and with fusions.
struct FusionHarness {
  /// What each rule did, one `rule: sentence` a change.
  let changes: [String]
  /// Why rules left nodes alone, one `rule: reason` each.
  let declined: [String]

  /// Expects the same outputs, within `tolerance` of the largest element; 0 asks for the same bits.
  @discardableResult
  init(
    _ graph: Graph, _ feeds: [Name: Tensor], tolerance: Float = 1e-6, threads: Int = 2
  ) throws {
    let engine = try Engine(
      graph, options: EngineOptions(threads: threads, checksResultTypes: true))
    let plain = try Engine(graph, options: EngineOptions(threads: threads, fusesOperators: false))
    let outputs = try engine.run(feeds)
    for (name, due) in try plain.run(feeds) {
      let own = try #require(outputs[name])
      #expect(own.shape == due.shape)
      let (a, b) = (own.elements(as: Float.self), due.elements(as: Float.self))
      let largest = b.reduce(0) { max($0, $1.isNaN ? 0 : abs($1)) }
      let isNear = zip(a, b).allSatisfy { a, b in
        a == b || a.isNaN && b.isNaN || abs(a - b) <= tolerance * max(1, largest)
      }
      #expect(isNear, "'\(name)' differs")
    }
    let reports = try engine.plan(for: feeds.mapValues(\.shape)).fusions
    changes = reports.flatMap { report in report.changes.map { "\(report.pass): \($0.message)" } }
      .filter { !$0.hasPrefix("dead-code") }
    declined = reports.flatMap { report in
      report.declined.map { "\(report.pass): \($0.message)" }
    }
  }
}

/// Repeatable numbers in -1 ..< 1.
struct Noise {
  private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

  mutating func tensor(_ dimensions: Int...) throws -> Tensor {
    let shape = try Shape(dimensions)
    let numbers = (0..<shape.elementCount).map { _ -> Float in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Float(state >> 40) / Float(1 << 23) - 1
    }
    return Tensor(numbers, shape: shape)
  }
}

extension Graph {
  mutating func integers(_ numbers: Int...) -> ValueID {
    constant(numbers.map { Int64($0) }, shape: .vector(numbers.count))
  }

  mutating func scalar(_ number: Float) -> ValueID { constant([number], shape: .scalar) }

  mutating func permuted(_ value: ValueID, _ order: Int...) -> ValueID {
    emit("Transpose", [value], [Attribute("perm", .ints(order))])
  }
}
