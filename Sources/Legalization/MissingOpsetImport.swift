public import GraphIR
public import Rewrite

/// Every domain whose operators a model uses is imported.
///
/// Tools that insert operators of a domain forget the import; runtimes then refuse the model. A
/// domain other than ONNX's own has had one version so far, 1.
public struct MissingOpsetImport: Pass {
  /// `missing-opset-import`.
  public let name = "missing-opset-import"

  /// The pass.
  public init() {}

  /// Adds the imports.
  public func run(on graph: inout Graph, report: inout PassReport) throws {
    var missing: [String: Int] = [:]
    graph.forEachGraph { inner in
      for id in inner.order {
        let domain = inner[id].op.domain
        if graph.opsets[domain] == nil, inner[id].cache == nil {
          missing[domain, default: 0] += 1
        }
      }
    }
    for (domain, count) in missing.sorted(by: { $0.key < $1.key }) {
      guard !domain.isEmpty else {
        report.warn(
          "domain 'ai.onnx'",
          "\(count) nodes are of ONNX's own domain, whose version the model does not say")
        continue
      }
      graph.opsets[domain] = 1
      report.changed(
        "domain '\(domain)'", "imported in version 1: \(count) nodes use it, the model did not")
    }
  }
}
