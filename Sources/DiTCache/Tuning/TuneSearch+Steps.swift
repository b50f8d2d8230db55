import ScheduleLanguage
import Tensors
import Tuning

extension TuneSearch {
  /// Finds for each family the fewest computed steps; real runs decide about lists of the replay and
  /// lists of growing intervals.
  func searchSteps(_ families: [ScheduleFamily]) throws {
    let most = max(1, bench.steps - 1)
    let growing = (1...most).map { GrowingIntervals.list($0, of: bench.steps) }
    for family in families {
      try searchCount(family, growing)
      try searchCount(
        family, StepListSearch(replay, forecast: family.forecast).lists(upTo: most))
    }
  }

  /// Finds how many steps of a family are enough; lists come by their count.
  private func searchCount(_ family: ScheduleFamily, _ lists: [[Int]]) throws {
    let steps = bench.steps
    let record = best.flatMap { promise.isKept(by: $0) ? $0.computed : nil }
    let guess =
      record.map { Int((Double(steps) * $0).rounded(.down)) } ?? guess(lists, family.forecast)
    var hasKept = false
    _ = try LeastCount.find(in: 1...lists.count, from: guess) { count in
      let plan = RefreshPlan(computed: lists[count - 1], forecast: family.forecast)
      guard
        let trial = try attempt(
          try family.schedule(plan, steps: steps), family: family.name, plan: plan)
      else { return nil }
      let isKept = promise.isKept(by: trial)
      if promise.measure == .speedup { return isKept ? nil : count > 1 ? true : nil }
      hasKept = hasKept || isKept
      // A family that needs more than the best one is not followed further.
      if let record, !hasKept, trial.computed >= record { return nil }
      return isKept
    }
  }

  /// Where the replay would find the promise kept.
  private func guess(_ lists: [[Int]], _ forecast: Forecast) -> Int {
    let fallback = max(1, bench.steps * 2 / 5)
    switch promise.measure {
    case .speedup: return max(1, Int(Double(bench.steps) / promise.bound))
    case .ssim: return fallback
    case .psnr:
      let isPixels = branchesArePixels
      guard isPixels else { return fallback }
      let found = lists.firstIndex { list in
        let plan = RefreshPlan(computed: list, forecast: forecast)
        return replay.psnr(of: plan, dataRange: 2) >= promise.bound
      }
      return found.map { $0 + 1 } ?? fallback
    }
  }

  private var branchesArePixels: Bool {
    bench.samples.first.map { [1, 3].contains($0.final.shape[1]) } ?? false
  }

  /// Leaves out unconditional calls of the best listed plans, and then more steps.
  func searchGuidance() throws {
    guard branches == ["uncond", "cond"] else { return }
    for start in bestPlans(2) {
      guard let plan = start.trial.plan else { continue }
      let plans = GuidanceSearch(replay).plans(from: plan)
      if promise.measure == .speedup {
        try exchangeCalls(start.family)
        continue
      }
      // plans[k] leaves out k calls.
      _ = try LeastCount.find(in: 1...plans.count, from: plans.count * 2 / 3) { count in
        let thinned = plans[plans.count - count]
        guard let trial = try attempt(thinned, start.family) else { return nil }
        return promise.isKept(by: trial)
      }
    }
  }

  /// At a given cost: more computed steps, fewer unconditional calls.
  private func exchangeCalls(_ family: ScheduleFamily) throws {
    let calls = Int(2 * Double(bench.steps) / promise.bound)
    let lists = StepListSearch(replay, forecast: family.forecast).lists(upTo: calls - 1)
    for part in [0.55, 0.6, 0.65, 0.7, 0.8] {
      let count = min(lists.count, Int((part * Double(calls)).rounded()))
      guard count > 0, count < calls else { continue }
      let plan = RefreshPlan(computed: lists[count - 1], forecast: family.forecast)
      let plans = GuidanceSearch(replay).plans(from: plan)
      guard let own = plans.first(where: { count + ($0.unconditional?.count ?? 0) <= calls })
      else { continue }
      guard try attempt(own, family) != nil else { return }
    }
  }

  /// Improves the best plan by real runs: drops what it can do without, and moves steps.
  func refine() throws {
    guard let start = bestPlans(1).first, var plan = start.trial.plan else { return }
    var current = start.trial
    var tried: Set<RefreshPlan> = [plan]
    func next(_ plans: [RefreshPlan], _ count: Int, accepts: (Trial) -> Bool) throws -> Bool? {
      for candidate in replay.ranked(plans.filter { !tried.contains($0) }).prefix(count) {
        tried.insert(candidate)
        guard let trial = try attempt(candidate, start.family) else { return nil }
        guard accepts(trial) else { continue }
        (plan, current) = (candidate, trial)
        return true
      }
      return false
    }
    while true {
      if promise.measure != .speedup, promise.isKept(by: current) {
        guard let isDropped = try next(plan.thinned, 4, accepts: promise.isKept) else { return }
        if isDropped { continue }
      }
      let level = promise.value(of: current)
      let step = promise.measure == .ssim ? 0.0005 : 0.05
      let isMoved = try next(plan.shifted(steps: bench.steps), 8) { trial in
        promise.value(of: trial) > level + step && trial.computed <= current.computed + 1e-9
      }
      guard isMoved == true else { return }
    }
  }

  private func attempt(_ plan: RefreshPlan, _ family: ScheduleFamily) throws -> Trial? {
    let name = plan.unconditional == nil ? family.name : family.name + ", shared guidance"
    return try attempt(
      try family.schedule(plan, steps: bench.steps), family: name, plan: plan)
  }

  /// The best trials with a list of steps, each of another family.
  private func bestPlans(_ count: Int) -> [(family: ScheduleFamily, trial: Trial)] {
    var found: [(family: ScheduleFamily, trial: Trial)] = []
    for trial in trials.filter({ $0.plan != nil }).sorted(by: { promise.prefers($0, to: $1) }) {
      guard
        let family = ScheduleFamily.all.first(where: {
          trial.family.hasPrefix($0.name) && $0.forecast == trial.plan?.forecast
        }),
        !found.contains(where: { $0.family == family })
      else { continue }
      found.append((family, trial))
    }
    return Array(found.prefix(count))
  }
}
