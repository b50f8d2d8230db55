import DiTCache
import Foundation
import GraphIR
import Interpreter
import OnnxFile
import Tensors
import TestSupport
import Testing

/// Random models, broken in known ways: every outcome is success or a typed error, and what is
/// accepted has a graph that the verifier accepts, can be written, and runs or says why not.
@Suite(.serialized) struct MutationTests {
  let folder: TemporaryFolder
  let input: Tensor

  init() throws {
    folder = try TemporaryFolder(inMemory: true)
    input = try Tensor([1, -2, 3, 0.5, -0.25, 8] as [Float], shape: Shape([2, 3]))
    try folder.write([UInt8](repeating: 0x3F, count: 64), to: "w")
  }

  /// What happened to a file.
  private enum Outcome: Equatable {
    case ran
    case accepted(String)
    case refused

    /// The kind without its text.
    var word: String {
      switch self {
      case .ran: "ran"
      case .accepted: "could not run"
      case .refused: "refused"
      }
    }
  }

  /// Reads, verifies, writes, types and runs a model.
  private func outcome(of bytes: [UInt8]) throws -> Outcome {
    let path = try folder.write(bytes, to: "mutant.onnx")
    do {
      let model = try OnnxModel.read(path)
      try model.graph.verify()
      try model.write(to: folder.path("copy.onnx"))
      let copy = try OnnxModel.read(folder.path("copy.onnx"))
      guard copy.graph.order.count == model.graph.order.count else { throw Difference() }
      let loaded = try LoadedModel(path)
      try loaded.graph.verify()
      do {
        let engine = try Engine(
          loaded.graph, options: EngineOptions(threads: 1, memoryByteCount: 64 << 20))
        let feeds = try engine.converted([Name("x"): input, Name("c"): Tensor(scalar: true)])
        _ = try engine.run(feeds, trace: nil)
        return .ran
      } catch let error as any ReportedError {
        guard error.category != .internalFault else { throw error }
        return .accepted(error.description)
      }
    } catch let error as any ReportedError {
      guard error.category != .internalFault else { throw error }
      return .refused
    }
  }

  private struct Difference: Error {}

  private func expectOutcome(of bytes: [UInt8], _ name: String) -> Outcome {
    CrashNote.set(name)
    do {
      return try outcome(of: bytes)
    } catch {
      Issue.record("\(name): \(error)")
      return .refused
    }
  }

  @Test func everyModelOfTheGeneratorRuns() throws {
    for seed in 0..<UInt64(500) {
      var generator = ModelGenerator(seed: seed)
      let outcome = expectOutcome(of: generator.model().encoded, "generator seed \(seed)")
      #expect(outcome == .ran, "generator seed \(seed): \(outcome)")
    }
    CrashNote.clear()
  }

  /// Repeat one with DITCACHE_SEED; DITCACHE_SECONDS says how long to go on.
  @Test func aMutantIsReadOrRefused() throws {
    #expect(Corruption.all.count >= 40)
    let environment = ProcessInfo.processInfo.environment
    if let seed = environment["DITCACHE_SEED"].flatMap(UInt64.init) {
      _ = try mutate(seed)
      return
    }
    let first = UInt64.random(in: 0..<1 << 48)
    let seconds = environment["DITCACHE_SECONDS"].flatMap(Double.init)
    let end = Date().addingTimeInterval(seconds ?? (TestTier.current >= .full ? 60 : 5))
    var counts: [String: Int] = [:]
    var seed = TestTier.current == .standard && seconds == nil ? 0 : first
    while Date() < end {
      counts[try mutate(seed).word, default: 0] += 1
      seed += 1
    }
    CrashNote.clear()
    print("mutants: \(counts.map { "\($0) \($1)" }.sorted().joined(separator: ", "))")
    #expect(counts["refused", default: 0] > 0 && counts["ran", default: 0] > 0)
  }

  /// 2766: an Identity with two results, of which a fusion dropped one.
  @Test(arguments: [2766] as [UInt64])
  func mutantsThatWereFaultsOnceAreNone(seed: UInt64) throws {
    _ = try mutate(seed)
  }

  private func mutate(_ seed: UInt64) throws -> Outcome {
    var random = SplitMix(seed: seed)
    var generator = ModelGenerator(seed: random.next())
    guard let corruption = random.pick(Corruption.all) else { return .refused }
    let bytes = corruption.apply(generator.model(), &random)
    return expectOutcome(of: bytes, "DITCACHE_SEED=\(seed), \(corruption.name)")
  }

  @Test func everyCorruptionBreaksSomething() {
    for corruption in Corruption.all {
      let changed = (0..<UInt64(50)).contains { seed in
        var random = SplitMix(seed: seed)
        var generator = ModelGenerator(seed: seed)
        let model = generator.model()
        return corruption.apply(model, &random) != model.encoded
      }
      #expect(changed, "\(corruption.name)")
    }
  }

  @Test(arguments: 0..<10)
  func a2_a3_truncationsAndFlippedBytesOfTenModels(_ number: Int) throws {
    var generator = ModelGenerator(seed: UInt64(1000 + number))
    let model = generator.model().encoded
    let step = TestTier.current >= .full ? 1 : 7
    for count in stride(from: number % step, to: model.count, by: step) {
      let outcome = expectOutcome(of: Array(model[..<count]), "model \(number), \(count) bytes")
      #expect(outcome == .refused, "model \(number) of \(count) bytes")
    }
    for index in stride(from: number % step, to: model.count, by: step) {
      for mask in [0x01, 0x10, 0x80, 0xFF] as [UInt8] {
        var bytes = model
        bytes[index] ^= mask
        _ = expectOutcome(of: bytes, "model \(number), byte \(index) ^ \(mask)")
      }
    }
    CrashNote.clear()
  }
}
