import CacheContract
import Diffusion
import Foundation

/// What the metrics of a run say about the rules of its schedule.
enum RuleWarnings {
  /// At most two sentences for each rule: numbers that are none, and thresholds that would have
  /// fired where the rule's own did not.
  static func all(_ sites: [SiteDiagnostics], _ manifest: Manifest) -> [String] {
    manifest.rules.flatMap { rule -> [String] in
      let own = zip(manifest.sites, sites).filter { $0.0.rule == rule.name }.map(\.1)
      return [
        own.first { $0.notFiniteCalls > 0 }.map { notFinite($0, rule) },
        own.first { $0.neverFired }.flatMap { neverFired($0, rule, steps: manifest.steps) },
      ].compactMap { $0 }
    }
  }

  private static func notFinite(_ site: SiteDiagnostics, _ rule: Manifest.Rule) -> String {
    "the metric of rule '\(rule.name)' was NaN or infinite in \(site.notFiniteCalls) calls, and "
      + "a comparison with NaN computes"
  }

  private static func neverFired(
    _ site: SiteDiagnostics, _ rule: Manifest.Rule, steps: Int
  ) -> String? {
    guard let metric = rule.metric, let spread = site.metric else { return nil }
    let seen =
      "rule '\(rule.name)' never reused: its metric was \(text(spread.minimum)) to "
      + text(spread.maximum)
    let against = metric.threshold.map { ", its threshold is \(text($0))" } ?? ""
    guard let first = site.firings.first else { return seen + against }
    let others = site.firings.dropFirst().map { ", one of \($0.threshold) \($0.steps)" }
    return seen + against + "; a threshold of \(first.threshold) would have reused up to "
      + "\(first.steps) of \(steps) steps" + others.joined()
  }

  private static func text(_ number: Double) -> String { String(format: "%.4g", number) }
}
