import CacheContract
import Diffusion
import Foundation
import ScheduleLanguage
import Tensors
import Tuning

/// A search in progress: what was tried, and what is best so far.
final class TuneSearch {
  let bench: TrialBench
  let promise: Promise
  let budget: RunBudget
  private(set) var replay: Replay
  private let progress: (String, Int, Int) -> Void
  /// What the search in progress may take of the budget.
  private var allowance: RunBudget
  private(set) var used: Int
  private(set) var trials: [Trial] = []
  private var known: [String: Trial] = [:]

  /// A search on a bench whose uncached runs cost `used` of the budget.
  init(
    _ bench: TrialBench, promise: Promise, budget: RunBudget, trajectories: [Trajectory],
    used: Int, progress: @escaping (String, Int, Int) -> Void
  ) throws {
    self.bench = bench
    self.promise = promise
    self.budget = budget
    allowance = budget
    self.progress = progress
    self.used = used
    let levels = bench.samples.first?.inputs.levels
    replay = Replay(
      trajectories, weights: levels.map { StepWeights.of(bench.scheduler, $0) } ?? [])
  }

  /// The best trial on all samples.
  var best: Trial? {
    trials.reduce(nil) { best, trial in
      best.map { promise.prefers(trial, to: $0) ? trial : $0 } ?? trial
    }
  }

  /// The calls of a step.
  var branches: [String] { bench.samples.first?.branches ?? [] }

  /// Lets one of `count` searches take its equal part of what is left of the budget.
  func take(oneOf count: Int, _ search: (TuneSearch) throws -> Void) rethrows {
    allowance = budget.share(of: count, after: used)
    defer { allowance = budget }
    try search(self)
  }

  /// Runs a schedule unless it ran before; nil when the budget is used up.
  func attempt(
    _ schedule: Schedule, family: String, plan: RefreshPlan? = nil
  ) throws -> Trial? {
    let text = String(decoding: schedule.source.bytes, as: UTF8.self)
    if let trial = known[text] { return trial }
    guard allowance.allows(bench.samples.count, after: used) else { return nil }
    let candidate = try bench.candidate(schedule)
    guard var trial = try run(candidate, family: family) else { return nil }
    trial.plan = plan
    known[text] = trial
    trials.append(trial)
    return trial
  }

  /// Runs a candidate, whose trial the caller keeps; nil when the budget is used up.
  func run(
    _ candidate: TrialBench.Candidate, family: String, parameters: [String: Double] = [:]
  ) throws -> Trial? {
    let count = bench.samples.count
    guard allowance.allows(count, after: used) else { return nil }
    let total = budget.runs ?? used + count
    let trial = try bench.run(candidate, family: family, parameters: parameters) { _, _ in
      progress(family, used, total)
    }.trial
    used += count
    progress(family, used, max(total, used))
    return trial
  }

  /// Keeps a trial that was made elsewhere.
  func keep(_ trial: Trial) { trials.append(trial) }

  /// Finds how much more errors grow in real runs than in the replay, step by step.
  ///
  /// At a few steps, more of them early, the output of one step is left out, and the real final error
  /// divided by the replayed one; between them the logarithm is interpolated.
  func measureGains() throws {
    let steps = bench.steps
    let samples = 0..<min(Self.gainSamples, bench.samples.count)
    guard steps > 3 else { return }
    var places: [(step: Double, gain: Double)] = []
    for part in Self.gainPlaces {
      let step = max(1, Int((part * Double(steps)).rounded()))
      guard step < steps, places.last.map({ Int($0.step) < step }) ?? true,
        allowance.allows(samples.count, after: used)
      else { continue }
      let plan = RefreshPlan(
        computed: (0..<steps).filter { $0 != step }, forecast: .last)
      let family = ScheduleFamily(site: "output", keepsOutput: true, forecast: .last)
      let candidate = try bench.candidate(try family.schedule(plan, steps: steps))
      let total = budget.runs ?? used + samples.count
      let trial = try bench.run(candidate, family: "gain", on: samples) { _, _ in
        progress("gains", used, total)
      }.trial
      used += samples.count
      let logs = zip(trial.squaredErrors, replay.squaredErrors(of: plan)).compactMap { real, own in
        real > 0 && own > 0 ? 0.5 * log(real / own) : nil
      }
      guard !logs.isEmpty else { continue }
      places.append((Double(step), logs.sorted()[(logs.count - 1) / 2]))
    }
    guard let first = places.first, let last = places.last else { return }
    let gains = (0..<steps).map { step -> Double in
      let own = Double(step)
      guard let next = places.first(where: { $0.step >= own }) else { return exp(last.gain) }
      guard let before = places.last(where: { $0.step < own }) else { return exp(first.gain) }
      let part = (own - before.step) / (next.step - before.step)
      return exp(before.gain + part * (next.gain - before.gain))
    }
    replay = Replay(replay.trajectories, weights: replay.weights, gains: gains)
  }

  /// Runs that gains are measured on.
  private static let gainSamples = 3
  /// Where they are measured, in parts of the run.
  private static let gainPlaces = [0.02, 0.08, 0.18, 0.32, 0.5, 0.7, 0.9]
}
