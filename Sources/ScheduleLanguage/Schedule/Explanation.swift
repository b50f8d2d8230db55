/// Draws which blocks are computed at which steps.
struct Explanation {
  private static let computedMark: Character = "█"
  private static let reusedMark: Character = "·"
  /// A step that is decided during the run.
  private static let adaptiveMark: Character = "?"
  private static let panelWidth = 100

  /// One line of the grid: some neighbouring blocks with the same decisions.
  private struct Row {
    var label: String
    var table: StepTable
    var rule: String
  }

  private var lines: [String] = []

  static func text(of resolved: ResolvedSchedule) -> String {
    var explanation = Explanation()
    let schedule = resolved.schedule
    explanation.lines.append(
      "\(schedule.name) for \(schedule.adapter ?? "any"): \(resolved.steps) steps, "
        + "\(resolved.layout.blockCount) blocks")
    explanation.lines.append("")
    explanation.rules(resolved.rules.map(\.rule))
    explanation.lines.append("")
    explanation.grid(rows(of: resolved), steps: resolved.steps)
    explanation.summary(of: resolved)
    return explanation.lines.joined(separator: "\n") + "\n"
  }

  static func text(of schedule: Schedule, tables: [StepTable], steps: Int) -> String {
    var explanation = Explanation()
    explanation.lines.append(
      "\(schedule.name) for \(schedule.adapter ?? "any"): \(steps) steps")
    explanation.lines.append("")
    explanation.rules(schedule.rules)
    explanation.lines.append("")
    explanation.grid(
      zip(schedule.rules, tables).map { rule, table in
        Row(label: rule.name, table: table, rule: "")
      }, steps: steps)
    let width = max(9, schedule.rules.map(\.name.count).max() ?? 0)
    for (rule, table) in zip(schedule.rules, tables) {
      explanation.lines.append(
        "  " + padded(rule.name, width) + "  " + counts(table) + "  "
          + (table.isAdaptive ? "" : percent(table.computedCount, table.stepCount)))
    }
    return explanation.lines.joined(separator: "\n") + "\n"
  }

  private mutating func rules(_ rules: [CacheRule]) {
    let width = rules.map(\.name.count).max() ?? 0
    for rule in rules {
      let body = rule.statements.joined(separator: ", ")
      lines.append("  " + Self.padded(rule.name, width) + "  \(rule.site.text)")
      lines.append("  " + Self.padded("", width) + "  \(body)")
    }
  }

  /// Neighbouring blocks of one family and one rule share a row; modules have rows of their own.
  private static func rows(of resolved: ResolvedSchedule) -> [Row] {
    let modules = resolved.rules.filter { !$0.rule.site.parts.isEmpty }.flatMap { rule in
      rule.rule.site.parts.flatMap { part in
        rule.runs.map { run in
          Row(
            label: "\(resolved.layout.label(run)) \(part.rawValue)", table: rule.table,
            rule: rule.rule.name)
        }
      }
    }
    let calls = resolved.rules.filter { $0.rule.site == .uncond }.map {
      Row(label: $0.rule.site.text, table: $0.table, rule: $0.rule.name)
    }
    let areOnlyModules = modules.count > 0 && resolved.ruleOfBlock.allSatisfy { $0 == nil }
    return (areOnlyModules ? [] : blockRows(of: resolved)) + modules + calls
  }

  private static func blockRows(of resolved: ResolvedSchedule) -> [Row] {
    let owner = resolved.ruleOfBlock
    let families = resolved.layout.families
    var rows: [Row] = []
    var first = 0
    for position in owner.indices {
      let next = position + 1
      let continues =
        next < owner.count && owner[next] == owner[position] && families[next] == families[position]
      guard !continues else { continue }
      let rule = owner[position].map { resolved.rules[$0] }
      rows.append(
        Row(
          label: resolved.layout.label(first...position),
          table: rule?.table
            ?? StepTable(computed: [Bool](repeating: true, count: resolved.steps)),
          rule: rule?.rule.name ?? ""))
      first = next
    }
    return rows
  }

  private mutating func grid(_ rows: [Row], steps: Int) {
    let width = max(4, rows.map(\.label.count).max() ?? 0)
    for panel in stride(from: 0, to: steps, by: Self.panelWidth) {
      let shown = panel..<min(steps, panel + Self.panelWidth)
      lines.append("  " + Self.padded("step", width) + "  " + Self.ruler(shown))
      for row in rows {
        let open = row.table.isAdaptive ? Self.adaptiveMark : Self.reusedMark
        let marks = shown.map { row.table.computed[$0] ? Self.computedMark : open }
        let line = "  " + Self.padded(row.label, width) + "  " + String(marks)
        lines.append(row.rule.isEmpty ? line : line + "  " + row.rule)
      }
      lines.append("")
    }
  }

  /// Every tenth step, each number above its own column.
  private static func ruler(_ steps: Range<Int>) -> String {
    var text = ""
    for step in steps where step % 10 == 0 {
      let gap = step - steps.lowerBound - text.count
      guard gap >= 0 else { continue }
      text += String(repeating: " ", count: gap) + String(step)
    }
    return text
  }

  private mutating func summary(of resolved: ResolvedSchedule) {
    let width = max(9, resolved.rules.map(\.rule.name.count).max() ?? 0)
    for rule in resolved.rules {
      let count = rule.positions.count
      let blocks =
        rule.rule.site == .uncond
        ? "the unconditional call" : "\(count) \(count == 1 ? "block" : "blocks")"
      lines.append(
        "  " + Self.padded(rule.rule.name, width) + "  \(blocks), "
          + Self.counts(rule.table) + "  "
          + (rule.table.isAdaptive
            ? "" : Self.percent(rule.table.computedCount, rule.table.stepCount)))
    }
    let all = resolved.layout.blockCount * resolved.steps
    let reused = resolved.reusedBlocks
    guard reused > 0 else { return }
    let ratio = all - reused > 0 ? ", \(Self.decimal(all * 100, all - reused))x fewer" : ""
    lines.append(
      "  " + Self.padded("all", width) + "  \(all - reused) of \(all) block evaluations  "
        + Self.percent(all - reused, all) + ratio)
  }

  private static func counts(_ table: StepTable) -> String {
    if table.isAdaptive {
      return
        "\(table.computedCount) of \(table.stepCount) steps computed, the others as the run decides"
    }
    return "\(table.computedCount) of \(table.stepCount) steps computed"
  }

  private static func percent(_ part: Int, _ whole: Int) -> String {
    guard whole > 0, part <= whole else { return "100.0 %" }
    let tenths = (part * 2000 + whole) / (2 * whole)
    return "\(tenths / 10).\(tenths % 10) %"
  }

  /// `hundredths / divisor` rounded to two decimals, where `hundredths` counts hundredths.
  private static func decimal(_ hundredths: Int, _ divisor: Int) -> String {
    let value = (hundredths * 2 + divisor) / (2 * divisor)
    let fraction = value % 100
    return "\(value / 100).\(fraction < 10 ? "0" : "")\(fraction)"
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}

extension ResolvedSchedule {
  /// The step × block grid, computed `█` and reused `·`, with the computed fractions.
  public var explanation: String { Explanation.text(of: self) }
}

extension Schedule {
  /// The step grid of every rule, for a model whose blocks are not known.
  ///
  /// - Parameters:
  ///   - steps: The number of steps of the run; nil takes the schedule's own.
  ///   - noise: The noise levels of the run, if they are known.
  /// - Returns: The grid as plain text, one row a rule.
  /// - Throws: `ScheduleError` if the steps do not fit the schedule.
  public func explanation(
    steps: Int? = nil, noise: NoiseTable? = nil
  ) throws(ScheduleError) -> String {
    let steps = try stepCount(host: steps)
    try requireLevels(noise, of: steps)
    var tables: [StepTable] = []
    for rule in rules {
      do throws(Problem) {
        tables.append(try table(of: rule, steps: steps, noise: noise))
      } catch {
        throw self.error([error])
      }
    }
    return Explanation.text(of: self, tables: tables, steps: steps)
  }
}
