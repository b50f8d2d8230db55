import CacheContract
import CacheRewrite
import GraphIR
import Interpreter
import OnnxFile
import Tensors

/// Measures how long a model takes here, and a cached form of it beside it.
public struct BenchTask: Sendable {
  private let options: EngineOptions
  private let repeats: Int

  /// A task that runs the model `repeats` times after a run that does not count.
  public init(
    threads: Int, memory: Int? = nil, style: ComputeStyle = ComputeStyle(), repeats: Int = 5
  ) throws(UsageError) {
    guard (1...10_000).contains(repeats) else {
      throw UsageError("bad-repeat", at: "--repeat", "1 to 10000 runs, not \(repeats)")
    }
    options = style.options(threads: threads, memory: memory)
    self.repeats = repeats
  }

  /// Runs the model, and with a schedule a whole run of its steps, uncached calls in between.
  ///
  /// - Parameters:
  ///   - model: an uncached model
  ///   - input: arrays by input name, or nil for seeded ones
  ///   - schedule: a schedule's file or name, or nil
  /// - Returns: the measurements
  /// - Throws: what rewriting and running throw
  public func run(_ model: LoadedModel, input: String?, schedule: String?) throws -> BenchReport {
    try model.file.requireWeights()
    let engine = try Engine(model.measured, options: options)
    let feeds = try engine.converted(
      try input.map { try RunJob.arrays(of: $0) }
        ?? SeededInputs.make(for: model.measured, engine: engine))
    _ = try engine.run(feeds)
    var seconds: [Double] = []
    for _ in 0..<repeats { seconds.append(try Self.time { _ = try engine.run(feeds) }.seconds) }
    var report = BenchReport(
      seconds: seconds, threads: options.threads, flops: model.flops,
      resultPeakBytes: engine.memory.peakByteCount)
    if let schedule {
      report.cached = try runCached(model, schedule, feeds, uncached: engine)
    }
    return report
  }

  /// Calls between two that run the uncached model for comparison.
  private static let interval = 4

  private func runCached(
    _ model: LoadedModel, _ schedule: String, _ feeds: [Name: Tensor], uncached: Engine
  ) throws -> BenchReport.Cached {
    let result = try RewriteJob().run(model, schedule: try ScheduleLibrary.schedule(schedule))
    let manifest = result.cached.manifest
    let engine = try Engine(
      try LoadedModel.fixing(model.dimensions, in: result.cached.graph), options: options)
    var warmUp = StateBundle(manifest)
    for call in 0..<2 {
      let fed = try warmUp.feeds(adding: feeds, step: call, override: call == 0 ? .compute : .auto)
      _ = warmUp.absorb(try engine.run(fed))
    }
    var bundle = StateBundle(manifest)
    var (cached, plain) = ([Double](), [Double]())
    var skipped = 0.0
    for step in 0..<manifest.steps {
      if step % Self.interval == 0 {
        plain.append(try Self.time { _ = try uncached.run(feeds) }.seconds)
      }
      let sigmas = (
        1 - Double(step) / Double(manifest.steps), 1 - Double(step + 1) / Double(manifest.steps)
      )
      let fed = try bundle.feeds(adding: feeds, step: step, sigmas: sigmas)
      let (duration, outputs) = try Self.time { try engine.run(fed) }
      cached.append(duration)
      let rest = bundle.absorb(outputs)
      let flags = rest[Name(ContractNames.computed)]?.elements(as: Bool.self) ?? []
      for (site, computed) in zip(manifest.sites, flags) {
        skipped += Double(computed ? -(site.addedFlops ?? 0) : site.flops ?? 0)
      }
    }
    let all = model.flops.map { Double($0) * Double(manifest.steps) }
    return BenchReport.Cached(
      schedule: manifest.schedule, seconds: cached, uncachedSeconds: plain,
      predictedSpeedup: all.map { $0 / max(1, $0 - skipped) })
  }

  private static func time<Result>(
    _ body: () throws -> Result
  ) rethrows -> (seconds: Double, result: Result) {
    let clock = ContinuousClock()
    let start = clock.now
    let result = try body()
    let parts = (clock.now - start).components
    return (Double(parts.seconds) + Double(parts.attoseconds) / 1e18, result)
  }
}
