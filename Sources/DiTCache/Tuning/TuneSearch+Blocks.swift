import Foundation
import ModelStructure
import ScheduleLanguage
import Tensors
import Tuning

extension TuneSearch {
  /// Finds a list of blocks to cache, the others staying fresh at every step.
  ///
  /// Blocks are tried in an order: by the scores of a profile, or by what each costs when it alone is
  /// cached. The list grows as far as the promise goes, on steps fewer than the whole stack needs.
  ///
  /// - Parameter scores: the score of each block's position; nil measures
  /// - Throws: what running throws
  func searchBlocks(scores: [Int: Double]?) throws {
    let count = bench.job.model.structure.blocks.count
    guard count > 1, bench.steps > 4 else { return }
    let stack = trials.filter {
      $0.family.hasPrefix("delta of stack") && promise.isKept(by: $0)
    }.compactMap { $0.plan?.computed.count }.min()
    let refreshes = max(2, (stack ?? bench.steps / 2) * 3 / 4)
    let lists = StepListSearch(replay, forecast: .last).lists(upTo: refreshes)
    // Every block computes at the refreshes, so that no list of blocks costs less than they do.
    if let best, promise.isKept(by: best), promise.measure != .speedup,
      best.computed <= Double(refreshes) / Double(bench.steps)
    {
      return
    }
    guard let steps = lists.last else { return }
    let plan = RefreshPlan(computed: steps, forecast: .last)
    func trial(_ positions: [Int], family: String) throws -> Trial? {
      let own = ScheduleFamily(
        site: "blocks[\(Self.ranges(positions))]", keepsOutput: false, forecast: .last)
      return try attempt(try own.schedule(plan, steps: bench.steps), family: family)
    }
    var order: [Int]
    if let scores {
      order = (0..<count).sorted { (scores[$0] ?? .infinity, $0) < (scores[$1] ?? .infinity, $1) }
    } else {
      var costs: [(position: Int, cost: Double)] = []
      for position in 0..<count {
        guard let alone = try trial([position], family: "one block") else { break }
        costs.append((position, Trial.mean(alone.squaredErrors)))
      }
      order = costs.sorted { ($0.cost, $0.position) < ($1.cost, $1.position) }.map(\.position)
    }
    guard order.count > 1 else { return }
    let family = scores == nil ? "blocks by ablation" : "blocks by profile"
    // The fewest blocks that stay fresh.
    _ = try LeastCount.find(in: 1...order.count - 1, from: order.count / 2) { fresh in
      let cached = Array(order.prefix(order.count - fresh))
      return try trial(cached, family: family).map { promise.isKept(by: $0) }
    }
  }

  /// Scores by position, from the JSON of `ditcache profile`.
  static func scores(ofProfile path: String) throws -> [Int: Double] {
    struct Profile: Decodable {
      struct Block: Decodable {
        let position: Int
        let score: Double
      }
      let blocks: [Block]
    }
    guard let data = FileManager.default.contents(atPath: path),
      let profile = try? JSONDecoder().decode(Profile.self, from: data)
    else {
      throw UsageError(
        "no-profile", at: "--profile \(path)", "the file is no profile",
        hint: "`ditcache profile MODEL -o DIR` writes DIR/profile.json", category: .badModel)
    }
    return Dictionary(
      profile.blocks.map { ($0.position, $0.score) }, uniquingKeysWith: { first, _ in first })
  }

  /// Positions as `0, 2-4`.
  private static func ranges(_ positions: [Int]) -> String {
    var runs: [ClosedRange<Int>] = []
    for position in positions.sorted() {
      if let last = runs.last, last.upperBound + 1 == position {
        runs[runs.count - 1] = last.lowerBound...position
      } else {
        runs.append(position...position)
      }
    }
    return runs.map {
      $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)"
    }.joined(separator: ", ")
  }
}
