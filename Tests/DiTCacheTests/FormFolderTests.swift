import CacheContract
import CacheRewrite
import DiTCache
import Diffusion
import Foundation
import GraphIR
import Interpreter
import Tensors
import TestSupport
import Testing

@Suite("Folders of the forms static and split") struct FormFolderTests {
  private static let everyOther = """
    schedule test for wan {
      steps 12
      cache blocks[0-1] as front { keep delta
        refresh every 3 }
      cache blocks[3..] as rear { keep delta
        warmup_steps 2
        refresh every 2 }
    }

    """
  private static let adaptive = """
    schedule adaptive for wan {
      steps 12
      cache blocks[1..] {
        keep delta
        refresh unless relative_l1(residual(blocks[0]), since: last_computed) < 0.5
      }
    }

    """
  private static let forecast = """
    schedule forecast for wan {
      steps 12
      cache blocks[1..] { keep delta
        forecast taylor order 1
        refresh every 3 }
    }

    """
  private static let cases = [
    (Form.Kind.static, everyOther), (.static, forecast), (.split, everyOther), (.split, adaptive),
  ]

  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func task(_ form: Form.Kind, _ text: String) throws -> RewriteTask {
    try RewriteTask(
      model: LoadedModel(Fixtures.corpus("wan.onnx")),
      schedule: try folder.write([UInt8](text.utf8), to: "schedule.dcs"), form: form.rawValue)
  }

  private func written(_ form: Form.Kind, _ text: String) throws -> LoadedModel {
    let path = folder.path("out")
    try task(form, text).stage(to: path).commit()
    return try #require(try LoadedModel(formAt: path))
  }

  private func sample(_ model: LoadedModel, schedule: String? = nil) throws -> SampleReport {
    var request = SampleJob.Request()
    request.inputsPath = Fixtures.oracle("wan_easycache_cfg.npz")
    return try SampleTask(
      model, schedule: schedule, inputsPath: request.inputsPath, threads: 2
    ).run(request)
  }

  @Test("an honest folder passes the check, which leaves nothing behind", arguments: cases)
  func honest(_ form: Form.Kind, _ text: String) throws {
    let check = try task(form, text).stage(to: folder.path("out"))
      .check(inputsPath: nil, threads: 2)
    #expect(check.claims.filter { !$0.holds }.map(\.text) == [])
    #expect(check.claims.contains { $0.text.hasPrefix("the first call of the form") })
    #expect(check.claims.contains { $0.text.hasPrefix("step ") })
    #expect(try folder.names == ["schedule.dcs"])
  }

  @Test("files of another schedule fail the check", arguments: [Form.Kind.static, .split])
  func otherFiles(_ form: Form.Kind) throws {
    let other = Self.everyOther.replacingOccurrences(of: "every 3", with: "every 4")
    let (honest, foreign) = (try task(form, Self.everyOther), try task(form, other))
    let files = try foreign.result.cached.files(form, original: "wan.onnx", schedule: other)
    let mixed = RewriteTask(
      model: honest.model, result: honest.result, schedule: folder.path("schedule.dcs"),
      files: files)
    let check = try mixed.stage(to: folder.path("out")).check(inputsPath: nil, threads: 2)
    #expect(
      check.claims.contains { !$0.holds && $0.text.contains("what it does in one file") })
  }

  @Test("a sample of a folder is that of the model with the schedule", arguments: cases)
  func sampling(_ form: Form.Kind, _ text: String) throws {
    let own = try sample(try written(form, text))
    let due = try sample(
      try LoadedModel(Fixtures.corpus("wan.onnx")), schedule: folder.path("schedule.dcs"))
    #expect(own.sites.map(\.name) == due.sites.map(\.name))
    #expect(own.sites.map(\.computedSteps) == due.sites.map(\.computedSteps))
    #expect(own.sites.contains { $0.computed < 1 })
    let (quality, expected) = (try #require(own.quality), try #require(due.quality))
    #expect(abs(quality.relativeL1 - expected.relativeL1) < 1e-6)
    #expect(own.flopsSaved.map { abs($0 - (due.flopsSaved ?? 0)) < 0.01 } ?? false)
  }

  @Test("a form that can follow only its schedule says so when asked for more")
  func noSuchGraph() throws {
    let together = Self.everyOther.replacingOccurrences(
      of: "refresh every 2", with: "refresh every 3"
    ).replacingOccurrences(of: "warmup_steps 2", with: "")
    let model = try written(.static, together)
    let manifest = try #require(model.manifest)
    #expect(manifest.controls.contains(ContractNames.override))
    var bundle = StateBundle(manifest)
    let engine = try model.formEngine(EngineOptions(threads: 1))
    var own: [Name: Tensor] = [:]
    for port in engine.inputs where !port.name.text.hasPrefix(ContractNames.prefix) {
      let shape = try #require(port.type.tensor?.concreteShape)
      own[port.name] = Tensor([Float](repeating: 0.5, count: shape.elementCount), shape: shape)
    }
    _ = bundle.absorb(try engine.run(try bundle.feeds(adding: own, step: 0)))
    let feeds = try bundle.feeds(adding: own, step: 1, following: [false, true])
    #expect {
      try engine.run(feeds)
    } throws: {
      ($0 as? DiffusionError)?.code == "no-graph-for-override"
    }
  }

  @Test("a manifest that names what is not there is refused")
  func brokenManifest() throws {
    let model = try written(.split, Self.everyOther)
    var manifest = try #require(model.manifest)
    #expect(throws: ContractError.self) { try FormEngine(manifest, engines: [:]) }
    manifest.form = nil
    #expect(throws: ContractError.self) { try FormEngine(manifest, engines: [:]) }
  }

  @Test(
    "a manifest's files lie in its folder and are of its model",
    arguments: [
      ("\"head.onnx\"", "\"../head.onnx\""), ("originalDigest\":\"", "originalDigest\":\"0"),
    ])
  func foreignFiles(_ old: String, _ new: String) throws {
    _ = try written(.split, Self.everyOther)
    let text = String(decoding: try folder.bytes("out/manifest.json"), as: UTF8.self)
    #expect(text.contains(old))
    let changed = text.replacingOccurrences(of: old, with: new)
    try folder.write([UInt8](changed.utf8), to: "out/manifest.json")
    #expect(throws: ContractError.self) { try LoadedModel(formAt: folder.path("out")) }
  }
}
