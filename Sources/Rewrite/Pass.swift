public import GraphIR

/// A named change of a whole graph.
public protocol Pass: Sendable {
  /// A kebab-case name that appears in reports and errors.
  var name: String { get }

  /// Changes the graph, noting in `report` what was done and why something was not.
  func run(on graph: inout Graph, report: inout PassReport) throws
}

/// What a pass did.
public struct PassReport: Hashable, Sendable {
  /// One remark about a place in the graph.
  public struct Remark: Hashable, Sendable {
    /// The node or value.
    public let place: String
    /// One sentence.
    public let message: String
  }

  /// The pass.
  public let pass: String

  /// Changes made, in order.
  public private(set) var changes: [Remark] = []

  /// Near misses: places that almost matched, with the reason.
  public private(set) var declined: [Remark] = []

  /// What a pass noticed but cannot repair.
  public private(set) var warnings: [Remark] = []

  /// An empty report.
  public init(pass: String) {
    self.pass = pass
  }

  /// Notes a change.
  public mutating func changed(_ place: String, _ message: String) {
    changes.append(Remark(place: place, message: message))
  }

  /// Notes something that no pass can repair and somebody should know.
  public mutating func warn(_ place: String, _ message: String) {
    warnings.append(Remark(place: place, message: message))
  }

  /// Notes why a place was left alone.
  public mutating func decline(_ place: String, _ reason: String) {
    declined.append(Remark(place: place, message: reason))
  }
}
