import CacheContract
import CacheRewrite
import DiTCache
import Diffusion
import Foundation
import TensorFiles
import Tensors
import TestSupport
import Testing

/// A recording of somebody else's code, and our run of a schedule on the same trajectory.
struct Replay {
  private static let modules: Set = ["attn1", "attn2", "ffn"]
  private static let blocks = (0..<6).map { "blocks.\($0)" }

  let run: Recording
  private let sites: [String]
  private let arrays: [String: Tensor]
  private let path: String

  /// Runs `Schedules/<name>.dcs` on the recording's inputs; `path` has no suffix.
  init(
    _ name: String, recording path: String, trajectory: String? = nil, model file: String = "wan"
  ) throws {
    self.path = path
    let model = try LoadedModel(Fixtures.corpus("\(file).onnx"))
    let schedule = Fixtures.package.appending(path: "Tests/ReplayTests/Schedules/\(name).dcs")
    let cached = try RewriteJob().run(
      model, schedule: try ScheduleLibrary.schedule(schedule.path(percentEncoded: false))
    ).cached
    sites = cached.manifest.sites.map(\.name)
    let job = try SampleJob(model, threads: 2)
    var request = SampleJob.Request()
    request.inputsPath = trajectory ?? "\(path).npz"
    run = try job.run(
      cached.graph, manifest: cached.manifest, try job.inputs(request), comparing: false
    ).run
    let file = try NPZFile(readingFrom: "\(path).npz")
    arrays = try Dictionary(
      uniqueKeysWithValues: file.keys.map { ($0, try file.tensor($0)) })
  }

  /// The largest difference from the recorded model outputs, of one branch if they are apart.
  func difference(_ branch: String? = nil) throws -> Float {
    let due = try #require(arrays[branch.map { "model_out/\($0)" } ?? "model_out"])
    let steps =
      try branch.map { try #require(arrays["steps/\($0)"]?.integers()).map { Int($0) } }
      ?? Array(0..<due.shape[0])
    let own = run.modelOutputs.elements(as: Float.self)
    let place = branch.flatMap { run.branches.firstIndex(of: $0) } ?? 0
    let expected = due.elements(as: Float.self)
    let size = expected.count / steps.count
    var largest: Float = 0
    for (number, step) in steps.enumerated() {
      let first = branch == nil ? step * size : (step * run.branches.count + place) * size
      for index in 0..<size {
        let difference = abs(own[first + index] - expected[number * size + index])
        if !(difference <= largest) { largest = difference }
      }
    }
    return largest
  }

  /// The modules that ran in each call that took place, as `step/branch`.
  var executed: [String: Set<String>] {
    guard let computed = run.computed else { return [:] }
    let flags = computed.elements(as: Bool.self)
    var result: [String: Set<String>] = [:]
    for step in 0..<computed.shape[0] {
      for (number, branch) in run.branches.enumerated() {
        let call = step * run.branches.count + number
        guard run.tookPlace[call] else { continue }
        var modules = Set(Self.blocks.flatMap { block in Self.modules.map { "\(block).\($0)" } })
        for (place, site) in sites.enumerated() where !flags[call * sites.count + place] {
          modules.subtract(Self.modules(of: site))
        }
        result["\(step)/\(branch)"] = modules
      }
    }
    return result
  }

  private static func modules(of site: String) -> Set<String> {
    if site == "output" { return Set(blocks.flatMap { block in modules.map { "\(block).\($0)" } }) }
    let parts = site.split(separator: ".")
    let numbers = parts[1].split(separator: "-").compactMap { Int($0) }
    if parts.count == 3 { return [site] }
    return Set(
      (numbers[0]...numbers[1]).flatMap { block in modules.map { "blocks.\(block).\($0)" } })
  }

  /// What the recording says about the same.
  func recordedExecution() throws -> [String: Set<String>] {
    let data = try Data(contentsOf: URL(filePath: "\(path).json"))
    let json = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    var result: [String: Set<String>] = [:]
    if let calls = json["calls"] as? [[String: Any]] {
      for call in calls {
        let step = try #require(call["step"] as? Int)
        let branch = try #require(call["branch"] as? String)
        let modules = try #require(call["modules_executed"] as? [String: [String: Any]])
        result["\(step)/\(branch)"] = Set(
          modules.flatMap { block, names in names.keys.map { "\(block).\($0)" } })
      }
    } else {
      for entry in try #require(json["steps"] as? [[String: Any]]) {
        let step = try #require(entry["step"] as? Int)
        let ran = try #require(entry["blocks_executed"] as? [String])
        let skipped = try #require(entry["attn_skipped"] as? [String])
        result["\(step)/cond"] = Set(
          ran.flatMap { block in Self.modules.map { "\(block).\($0)" } }
        ).subtracting(skipped)
      }
    }
    return result
  }
}
