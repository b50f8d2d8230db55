import CacheContract
import CacheRewrite
import Testing

/// What the manifest says about the metric of a rule, and the cost sheet about its state.
@Suite("Metrics and state of rules") struct RuleMetricTests {
  private func cached(_ statements: String, before: String = "") throws -> CachedGraph {
    try ToyTransformer.cached(
      "schedule test for any {\n steps 6\n\(before)\n cache blocks[1-2] {\n\(statements)\n }\n}\n")
  }

  private func metric(_ statements: String, before: String = "") throws -> Manifest.Rule.Metric? {
    try #require(try cached(statements, before: before).manifest.rules.first).metric
  }

  @Test("a rule that reuses below its threshold says so, with the steps that clauses force")
  func below() throws {
    let metric = try metric(
      """
      keep delta
      warmup_steps 2
      refresh unless relative_l1(residual(blocks[0]), since: last_computed) < 0.25
      """)
    #expect(metric == .init(reusesBelow: true, threshold: 0.25, forcedSteps: [0, 1]))
  }

  @Test("the comparison is found among other conditions, on either side and under 'not'")
  func nested() throws {
    let change =
      "let change = relative_l1(residual(blocks[0]), since: last_computed)\nreport change"
    for condition in [
      "compute unless step > 2 and change < 0.25", "compute unless 0.25 > change and step > 2",
      "compute when not (change <= 0.25)", "compute when step < 2 or change >= 0.25",
    ] {
      let found = try metric("keep delta\n\(change)\n\(condition)")
      #expect(
        found == .init(reusesBelow: true, threshold: 0.25, forcedSteps: [0]), "\(condition)")
    }
    let above = try metric("keep delta\n\(change)\ncompute when change < 0.25")
    #expect(above?.reusesBelow == false)
  }

  @Test("a parameter's value is the threshold; what is only reported has none")
  func others() throws {
    let signal = "relative_l1(residual(blocks[0]), since: last_computed)"
    let parameter = try metric(
      "keep delta\ncompute unless \(signal) < limit", before: "parameter limit in 0 to 1 = 0.5")
    #expect(parameter?.threshold == 0.5)
    let reported = try metric("keep delta\nreport \(signal)\nrefresh every 3")
    #expect(reported == .init(reusesBelow: nil, threshold: nil, forcedSteps: []))
    #expect(try metric("keep delta\nrefresh every 3") == nil)
  }

  @Test("state bytes count tensors of sites and of rules, numbers and counters of steps")
  func stateBytes() throws {
    // Hidden states are [1, 2, 2] float32: 16 bytes.
    #expect(try cached("keep delta\nrefresh every 3").costs.stateBytes == 16)
    let adaptive = try cached(
      "keep delta\nrefresh unless relative_l1(residual(blocks[0]), since: last_computed) < 0.25")
    #expect(adaptive.costs.stateBytes == 16 + 16)
    let accumulating = try cached(
      """
      slot total = 0
      keep delta
      total := total + relative_l1(residual(blocks[0]), since: last_call), then 0 when computed
      compute unless total < 0.25 and continuous_cached_steps < 3
      """)
    #expect(accumulating.costs.stateBytes == 16 + 16 + 4 + 4)
  }
}
