public import GraphIR
public import Tensors

/// A pass that threw, or left a graph that breaks its rules.
public struct PassFailure: ReportedError {
  /// The code of the cause, or `pass-broke-graph`.
  public let code: String
  /// The pass, then the cause's place.
  public let place: String
  /// The cause's sentence.
  public let message: String
  /// The cause's hint.
  public let hint: String?
  /// The kind of failure; a broken graph is an internal fault.
  public let category: FailureCategory
}

/// Runs passes in order; the caller's graph changes only when all of them succeed.
public struct PassPipeline: Sendable {
  private let passes: [any Pass]

  /// A pipeline of passes, run first to last.
  public init(_ passes: [any Pass]) {
    self.passes = passes
  }

  /// Runs all passes, verifying the graph after each.
  public func run(on graph: inout Graph) throws(PassFailure) -> [PassReport] {
    var working = graph
    var reports: [PassReport] = []
    for pass in passes {
      var report = PassReport(pass: pass.name)
      do {
        try pass.run(on: &working, report: &report)
      } catch {
        throw failure(error, in: pass, isBrokenGraph: false)
      }
      do {
        try working.verify()
      } catch {
        throw failure(error, in: pass, isBrokenGraph: true)
      }
      reports.append(report)
    }
    graph = working
    return reports
  }

  private func failure(
    _ error: any Error, in pass: any Pass, isBrokenGraph: Bool
  ) -> PassFailure {
    let cause = error as? any ReportedError
    let place = cause.map { $0.place.isEmpty ? "" : ", \($0.place)" } ?? ""
    return PassFailure(
      code: isBrokenGraph ? "pass-broke-graph" : cause?.code ?? "pass-failed",
      place: "pass '\(pass.name)'\(place)", message: cause?.message ?? "\(error)",
      hint: cause?.hint,
      category: isBrokenGraph ? .internalFault : cause?.category ?? .internalFault)
  }
}
