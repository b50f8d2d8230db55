/// A cache rule with its blocks and steps as numbers.
public struct ResolvedRule: Hashable, Sendable {
  /// The rule.
  public var rule: CacheRule
  /// The positions of its blocks in execution order, ascending.
  public var positions: [Int]
  /// Maximal ranges of consecutive positions within one family.
  public var runs: [ClosedRange<Int>]
  /// Whether each step is computed.
  public var table: StepTable
}

/// A schedule on a model of known depth over a known number of steps.
public struct ResolvedSchedule: Hashable, Sendable {
  /// The schedule.
  public var schedule: Schedule
  /// The number of steps.
  public var steps: Int
  /// The blocks of the model.
  public var layout: BlockLayout
  /// The rules, in the order of the text.
  public var rules: [ResolvedRule]
  /// Whether a table follows from the noise levels of one run.
  public var isBoundToLevels = false

  /// The index of the rule of every block; nil for blocks that are always computed.
  public var ruleOfBlock: [Int?] {
    var owner = [Int?](repeating: nil, count: layout.blockCount)
    for (index, rule) in rules.enumerated() where rule.rule.site.parts.isEmpty {
      for position in rule.positions { owner[position] = index }
    }
    return owner
  }

  /// The computed part of all blocks and steps, 0 to 1, by the rules for whole blocks whose steps
  /// are known beforehand.
  public var computedFraction: Double {
    let all = layout.blockCount * steps
    let reused = reusedBlocks
    return all == 0 ? 1 : Double(all - reused) / Double(all)
  }
}

extension ResolvedSchedule {
  /// The evaluations of whole blocks that a run is known to skip.
  var reusedBlocks: Int {
    rules.reduce(0) { sum, rule in
      rule.rule.site.parts.isEmpty && !rule.table.isAdaptive
        ? sum + rule.positions.count * rule.table.reusedCount : sum
    }
  }
}

extension Schedule {
  /// Puts numbers to the blocks and steps of the schedule.
  ///
  /// - Parameters:
  ///   - layout: The blocks of the model.
  ///   - steps: The number of steps of the run; nil takes the schedule's own.
  ///   - noise: The noise levels of the run, if they are known.
  /// - Returns: The rules with the positions of their blocks, their runs and their step tables.
  /// - Throws: `ScheduleError` with every site that does not fit the model, every block that two
  ///   rules claim, and every step that the run does not have.
  public func resolve(
    in layout: BlockLayout, steps: Int? = nil, noise: NoiseTable? = nil
  ) throws(ScheduleError) -> ResolvedSchedule {
    let steps = try stepCount(host: steps)
    try requireLevels(noise, of: steps)
    var problems: [Problem] = []
    var resolved: [ResolvedRule] = []
    var claims: [Int: [(rule: Int, parts: Set<Site.Part>)]] = [:]
    for (index, rule) in rules.enumerated() {
      do throws(Problem) {
        let positions = try rule.site.resolve(in: layout)
        guard !positions.isEmpty || rule.site == .uncond else {
          throw Problem(
            "no-blocks", at: rule.siteRange,
            "'\(rule.site.text)' means no block: the model has \(layout.blockCount)")
        }
        let parts = Set(rule.site.parts)
        for position in positions {
          let other = claims[position, default: []].first { claim in
            parts.isEmpty || claim.parts.isEmpty || !parts.isDisjoint(with: claim.parts)
          }
          if let other {
            let shared = parts.intersection(other.parts).map(\.rawValue).sorted().first
            throw Problem(
              "overlapping-rules", at: rule.siteRange,
              "rules '\(rules[other.rule].name)' and '\(rule.name)' both cache "
                + (shared.map { "\($0) of " } ?? "") + layout.label(position...position))
          }
        }
        for position in positions { claims[position, default: []].append((index, parts)) }
        let table = try table(of: rule, steps: steps, noise: noise)
        resolved.append(
          ResolvedRule(
            rule: rule.settled(by: table, isResampled: isResampled), positions: positions,
            runs: layout.runs(of: positions), table: table))
      } catch {
        problems.append(error)
      }
    }
    guard problems.isEmpty else { throw error(problems) }
    var result = ResolvedSchedule(schedule: self, steps: steps, layout: layout, rules: resolved)
    result.isBoundToLevels = zip(rules, resolved).contains { rule, resolved in
      !resolved.table.isAdaptive && rule.knownSlots(given: nil) == nil
    }
    return result
  }
}

extension Schedule {
  /// The table of a rule, resampled where the run has another number of steps than the schedule.
  func table(
    of rule: CacheRule, steps: Int, noise: NoiseTable?
  ) throws(Problem) -> StepTable {
    guard let own = self.steps, own != steps else {
      return try rule.stepTable(steps: steps, noise: noise)
    }
    let table = try rule.stepTable(steps: own)
    guard !table.isAdaptive, !rule.settled(by: table).keepsByStep else {
      throw Problem(
        "not-resampled", at: rule.range,
        table.isAdaptive
          ? "rule '\(rule.name)' decides during the run, so its numbers are for \(own) steps"
          : "what rule '\(rule.name)' reuses depends on the step, as it is in \(own) steps")
    }
    return table.resampled(to: steps)
  }

  /// Refuses noise levels of another run.
  func requireLevels(_ noise: NoiseTable?, of steps: Int) throws(ScheduleError) {
    guard let noise, noise.timesteps.count != steps || noise.sigmas.count != steps + 1 else {
      return
    }
    throw error([
      Problem(
        "other-step-count", at: nameRange,
        "the noise levels are those of \(noise.timesteps.count) steps, the run has \(steps)")
    ])
  }
}

extension BlockLayout {
  /// Cuts ascending positions into maximal ranges of neighbours of one family.
  func runs(of positions: [Int]) -> [ClosedRange<Int>] {
    var runs: [ClosedRange<Int>] = []
    for position in positions {
      if let run = runs.last, run.upperBound + 1 == position,
        families[run.upperBound] == families[position]
      {
        runs[runs.count - 1] = run.lowerBound...position
      } else {
        runs.append(position...position)
      }
    }
    return runs
  }
}
