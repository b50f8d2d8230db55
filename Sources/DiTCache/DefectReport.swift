import GraphIR
import Legalization
import Rewrite

/// Something wrong with a model, as JSON.
public struct DefectReport: Encodable, Sendable {
  /// The rule that noticed it.
  public let rule: String
  /// The node or value.
  public let place: String
  /// One sentence.
  public let message: String
  /// Whether it was repaired; else it is there to be known.
  public let repaired: Bool
  /// What to ask for instead; nil where nothing is better.
  public var instead: String?
  /// Where it is known from; nil for what was found in the file.
  public var source: String?

  static func all(of reports: [LegalizationReport]) -> [DefectReport] {
    reports.flatMap { report in
      report.report.changes.map {
        DefectReport(rule: report.rule, place: $0.place, message: $0.message, repaired: true)
      }
        + report.report.warnings.map {
          DefectReport(rule: report.rule, place: $0.place, message: $0.message, repaired: false)
        }
    }
  }
}

/// One legalisation rule that applied, with its cost, as JSON.
public struct LegalizationCost: Encodable, Sendable {
  /// The rule.
  public let rule: String
  /// How many places it changed.
  public let places: Int
  /// Nodes gained, negative where some went away.
  public let nodes: Int
  /// Bytes that new constants take and new nodes write in one call; nil while a size is free.
  public let bytes: Int?
  /// Places that it could not change, with the reason.
  public let declined: [String]

  /// The rule, its places and its price on one line.
  public var text: String {
    guard places > 0 else { return "\(rule): nothing done" }
    let places = places == 1 ? "1 place" : "\(places) places"
    return "\(rule) at \(places), \(nodes < 0 ? "" : "+")\(nodes) nodes"
  }

  static func all(of reports: [LegalizationReport]) -> [LegalizationCost] {
    reports.filter { !$0.report.changes.isEmpty || !$0.report.declined.isEmpty }.map { report in
      LegalizationCost(
        rule: report.rule, places: report.report.changes.count, nodes: report.addedNodes,
        bytes: report.addedBytes,
        declined: report.report.declined.map { "\($0.place): \($0.message)" })
    }
  }
}

extension LoadedModel {
  /// What each target with repairs of its own would need, by its name; nothing for a cached model, which was written for one.
  func needs() throws -> [String: [LegalizationCost]] {
    guard manifest == nil else { return [:] }
    var result: [String: [LegalizationCost]] = [:]
    for target in RuntimeTarget.legalized {
      var graph = measured
      result[target.rawValue] = LegalizationCost.all(
        of: try Legalizer.run(target.passes, on: &graph))
    }
    return result
  }
}
