public import GraphIR
public import Rewrite
import Tensors

/// What one pass did to fit a model to a runtime, and what that costs.
///
/// None of the passes adds a MatMul, Gemm, Conv or attention, so none costs FLOPs as they are
/// counted here.
public struct LegalizationReport: Hashable, Sendable {
  /// Changes, near misses and warnings.
  public let report: PassReport
  /// Nodes gained, negative where some went away.
  public let addedNodes: Int
  /// Bytes that new constants take and new nodes write in one call; nil while a size is free.
  ///
  /// A runtime computes what depends on constants once and keeps the result.
  public let addedBytes: Int?

  /// The pass.
  public var rule: String { report.pass }
}

/// Runs passes that change what a model is made of but not what it means.
public enum Legalizer {
  /// Runs passes in order on a graph with inferred types and measures each.
  public static func run(
    _ passes: [any Pass], on graph: inout Graph
  ) throws(PassFailure) -> [LegalizationReport] {
    var result: [LegalizationReport] = []
    for pass in passes {
      let before = (nodes: graph.nodeCapacity, values: graph.valueCount, count: graph.order.count)
      for report in try PassPipeline([pass]).run(on: &graph) {
        result.append(
          LegalizationReport(
            report: report, addedNodes: graph.order.count - before.count,
            addedBytes: graph.byteCount(ofNodesFrom: before.nodes, valuesFrom: before.values)))
      }
    }
    return result
  }
}

extension Graph {
  /// Bytes of constants and results that are newer than the given identifiers.
  fileprivate func byteCount(ofNodesFrom nodes: Int, valuesFrom values: Int) -> Int? {
    var total = 0
    func add(_ type: TensorType?) -> Bool {
      guard let type, let dataType = type.dataType, let shape = type.concreteShape,
        let bytes = try? Checked.product(shape.elementCount, dataType.byteCount)
      else { return false }
      let (sum, overflow) = total.addingReportingOverflow(bytes)
      total = sum
      return !overflow
    }
    for value in initializerOrder where Int(value.index) >= values {
      guard add(initializers[value]?.type) else { return nil }
    }
    for id in order where Int(id.index) >= nodes {
      for case .some(let output) in self[id].outputs {
        guard add(tensorType(of: output)) else { return nil }
      }
    }
    return total
  }
}
