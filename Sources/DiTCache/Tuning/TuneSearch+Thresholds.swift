import CacheContract
import ScheduleLanguage
import Tuning

extension TuneSearch {
  /// Tries a given schedule: as it is, or with every threshold that decides otherwise.
  ///
  /// The threshold is the schedule's only parameter, or the one of that name. It takes the largest
  /// that keeps a promise about quality, and the smallest that is fast enough.
  func searchThreshold(_ schedule: Schedule) throws {
    let name =
      schedule.parameters.count == 1
      ? schedule.parameters.first : schedule.parameters.first { $0.name == "threshold" }
    guard let parameter = name else {
      _ = try attempt(schedule, family: schedule.name)
      return
    }
    let candidate = try bench.candidate(schedule)
    let isCompared = candidate.manifest.rules.contains {
      $0.metric?.threshold.map { abs($0 - parameter.defaultValue) <= 1e-6 * abs($0) } ?? false
    }
    var results: [(threshold: Double, interval: ThresholdInterval, trial: Trial)] = []
    let search = ThresholdSearch(range: parameter.range)
    _ = try search.largest(from: parameter.defaultValue) { threshold in
      guard
        let trial = try run(
          candidate, family: schedule.name, parameters: [parameter.name: threshold])
      else { return nil }
      let interval =
        isCompared
        ? ThresholdInterval(around: threshold, metrics: trial.metrics)
        : ThresholdInterval(low: threshold.nextDown, high: threshold)
      results.append((threshold, interval, trial))
      let isKept = promise.isKept(by: trial)
      return (promise.measure == .speedup ? !isKept : isKept, interval)
    }
    for (threshold, interval, trial) in results {
      let written = interval.shortest.map {
        min(max($0, parameter.range.lowerBound), parameter.range.upperBound)
      }
      let own = try TunedSchedule.schedule(
        schedule, setting: parameter.name, to: written ?? threshold)
      keep(
        Trial(
          family: trial.family, schedule: own, threshold: written ?? threshold,
          computed: trial.computed, psnr: trial.psnr, ssim: trial.ssim,
          squaredErrors: trial.squaredErrors, seconds: trial.seconds, metrics: trial.metrics,
          grid: trial.grid))
    }
  }
}
