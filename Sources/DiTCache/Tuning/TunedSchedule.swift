import CachePolicies
import Foundation
import ScheduleLanguage
import Tensors
import Tuning

/// A site with what is kept there: a family of schedules that differ in their steps.
struct ScheduleFamily: Hashable, Sendable {
  /// The site as the language writes it.
  let site: String
  /// Whether the whole value is kept, not what was added.
  let keepsOutput: Bool
  /// What stands in at reused steps.
  let forecast: Forecast

  /// Its name in reports.
  var name: String {
    let what = keepsOutput ? site : "delta of \(site)"
    return forecast.clause.map { "\(what), \($0.replacing("forecast ", with: ""))" } ?? what
  }

  /// The families that every model has, those that skip most first.
  static let all = [
    ScheduleFamily(site: "output", keepsOutput: true, forecast: .taylor(order: 2)),
    ScheduleFamily(site: "output", keepsOutput: true, forecast: .taylor(order: 1)),
    ScheduleFamily(site: "output", keepsOutput: true, forecast: .last),
    ScheduleFamily(site: "stack", keepsOutput: false, forecast: .taylor(order: 2)),
    ScheduleFamily(site: "stack", keepsOutput: false, forecast: .taylor(order: 1)),
    ScheduleFamily(site: "stack", keepsOutput: false, forecast: .last),
  ]

  /// The text of a schedule.
  func text(_ plan: RefreshPlan, steps: Int, name: String = "tuned") -> String {
    var lines = [
      "schedule \(name) for any {", "  steps \(steps)", "", "  cache \(site) {",
      "    keep \(keepsOutput ? "output" : "delta")",
    ]
    if let clause = forecast.clause { lines.append("    \(clause)") }
    lines += ["    refresh at \(Self.list(plan.computed))", "  }"]
    if let called = plan.unconditional, called != plan.computed {
      lines += [
        "  cache uncond {", "    slot difference", "    difference := output - input when computed",
        "    compute when step in \(Self.list(called))", "    reuse input + difference", "  }",
      ]
    }
    return (lines + ["}", ""]).joined(separator: "\n")
  }

  /// A schedule that is checked like any other.
  func schedule(_ plan: RefreshPlan, steps: Int) throws -> Schedule {
    try TunedSchedule.schedule(text(plan, steps: steps))
  }

  private static func list(_ steps: [Int]) -> String {
    "[\(steps.map(String.init).joined(separator: ", "))]"
  }
}

/// Schedules as a search writes them.
enum TunedSchedule {
  /// The one schedule of a text, in canonical form.
  static func schedule(_ text: String) throws -> Schedule {
    let source = SourceFile(path: "tuned.dcs", text: text)
    let document = try ScheduleDocument.reading(source, with: .standard) { path in
      try ScheduleLibrary.imported(path, from: "tuned.dcs")
    }
    guard let schedule = document.schedules.first else {
      throw UsageError(
        "no-schedule", at: "tuned.dcs", "the search wrote no schedule", category: .internalFault)
    }
    return schedule
  }

  /// The schedule with another default of a parameter.
  static func schedule(_ schedule: Schedule, setting name: String, to value: Double) throws
    -> Schedule
  {
    let source = String(decoding: schedule.source.bytes, as: UTF8.self)
    let lines = source.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let changed = lines.map { line -> String in
      let words = line.split(separator: " ")
      guard words.count > 2, words[0] == "parameter", words[1] == name,
        let equals = line.lastIndex(of: "=")
      else { return line }
      return line[...equals] + " \(value)"
    }
    return try Self.schedule(changed.joined(separator: "\n"))
  }

  /// A schedule's text with evidence above it, in canonical form.
  static func text(_ schedule: Schedule, evidence: [String]) throws -> String {
    let own = String(decoding: schedule.source.bytes, as: UTF8.self)
    let comment = evidence.map { $0.isEmpty ? "#" : "# \($0)" }.joined(separator: "\n")
    let source = SourceFile(path: "tuned.dcs", text: comment + "\n" + own)
    let document = try ScheduleDocument.reading(source, with: .standard) { path in
      try ScheduleLibrary.imported(path, from: "tuned.dcs")
    }
    return document.formatted ?? comment + "\n" + own
  }
}
