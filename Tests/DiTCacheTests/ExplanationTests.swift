import DiTCache
import Foundation
import TestSupport
import Testing

/// `schedule explain` with a recorded run, with noise levels and with a preset.
@Suite("schedule explain") struct ExplanationTests {
  private func temporary(_ name: String) -> String {
    FileManager.default.temporaryDirectory
      .appending(path: "ditcache-\(UInt64.random(in: 0 ... .max))-\(name)")
      .path(percentEncoded: false)
  }

  @Test("a recorded run is drawn site by site, with what was compared at each step")
  func recorded() throws {
    let schedule = Fixtures.package
      .appending(path: "Tests/ReplayTests/Schedules/wan_fbc_hi.dcs").path(percentEncoded: false)
    let model = Fixtures.corpus("wan.onnx")
    let record = temporary("run.npz")
    defer { try? FileManager.default.removeItem(atPath: record) }
    var request = SampleJob.Request()
    request.inputsPath = Fixtures.corpus("wan_traj.npz")
    let task = try SampleTask(
      try LoadedModel(model), schedule: schedule, inputsPath: request.inputsPath, threads: 2)
    let report = try task.run(request, comparing: false, recordPath: record)
    let computed = try #require(report.sites.first?.computedSteps.first)
    var subject = ScheduleTexts.Subject()
    subject.modelPath = model
    subject.recordPath = record
    let text = try ScheduleTexts.explanation(schedule, of: subject)
    let marks = String((0..<12).map { computed.contains($0) ? "█" : "·" })
    #expect(text.contains("  \(report.sites[0].name)  \(marks)\n"))
    let lines = text.split(separator: "\n").filter { $0.hasPrefix("  step ") && $0.contains(":") }
    #expect(lines.count == 12)
    #expect(lines[0].hasSuffix("computed: nothing was kept yet"))
    for step in 1..<12 {
      let sign = computed.contains(step) ? ">" : "<"
      let word = computed.contains(step) ? "computed" : "reused"
      #expect(lines[step].contains("\(word): metric"), "\(lines[step])")
      #expect(lines[step].contains(" \(sign) "), "\(lines[step])")
    }
  }

  @Test("a run of another model, or without decisions, is refused")
  func wrongRecord() throws {
    var subject = ScheduleTexts.Subject()
    subject.recordPath = Fixtures.corpus("wan_traj.npz")
    let missing = #expect(throws: UsageError.self) {
      try ScheduleTexts.explanation("every-3", of: subject)
    }
    #expect(missing?.code == "record-without-model")
    subject.modelPath = Fixtures.corpus("wan.onnx")
    subject.steps = 12
    let empty = #expect(throws: UsageError.self) {
      try ScheduleTexts.explanation("every-3", of: subject)
    }
    #expect(empty?.code == "no-decisions")
  }

  @Test("noise levels turn PAB's windows of timesteps into a grid")
  func levels() throws {
    var subject = ScheduleTexts.Subject()
    subject.steps = 12
    let open = try ScheduleTexts.explanation("pab-wan", of: subject)
    #expect(open.contains("█???????????"))
    subject.levelsPath = Fixtures.corpus("wan_traj.npz")
    // Timesteps below 850 from step 6 on; the last of them, 312.5, is above 100.
    let known = try ScheduleTexts.explanation("pab-wan", of: subject)
    #expect(known.contains("███████·█·█·"))
    #expect(known.contains("███████··█··"))
  }

  @Test("presets are listed with their schedules")
  func presets() {
    let entry = ScheduleLibrary.catalogue.first { $0.name == "magcache-wan-1-3b" }
    #expect(entry?.summary == "MagCache on Wan2.1 T2V 1.3B. Presets: slow, fast.")
  }
}
