import Foundation
import Interpreter
import Tensors
import TestSupport
import Testing

/// Part H of the list: running, as far as the command shows it.
@Suite struct RunningTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A cached Wan of the corpus and the inputs of its trajectory.
  private func cachedWan(_ rule: String, to output: String = "cached.onnx") throws {
    let fixtures = FileManager.default
    if !fixtures.fileExists(atPath: folder.path("wan.onnx")) {
      try fixtures.copyItem(atPath: Fixtures.corpus("wan.onnx"), toPath: folder.path("wan.onnx"))
    }
    let text = "schedule s for any { steps 12 cache stack { keep delta \(rule) } }\n"
    try folder.write(Array(text.utf8), to: "s.dcs")
    let command = try Command(
      ["rewrite", "wan.onnx", "--schedule", "s.dcs", "-o", output, "--quiet"], in: folder)
    #expect(command.status == 0, "\(command)")
  }

  private let inputs = Fixtures.corpus("wan_traj.npz")

  @Test func h1_aScheduleThatAlwaysComputesChangesNoBit() throws {
    try cachedWan("refresh every 1")
    let command = try Command(
      ["sample", "cached.onnx", "--inputs", inputs, "--json"], in: folder)
    #expect(command.status == 0, "\(command)")
    #expect(command.output.replacing(" ", with: "").contains("\"identical\":true"), "\(command)")
  }

  @Test func h7_aBudgetOneByteTooSmallIsRefusedWithNumbers() throws {
    let engine = try RunningModel(
      WireModel.with { $0.nodes = [WireModel.node("Neg", ["x"], ["y"])] }, in: folder)
    #expect(try engine.run([1, 2]) == [-1, -2])
    try folder.write(FeedFile.x, to: "x.npz")
    let enough = try Command(
      ["run", "running.onnx", "--input", "x.npz", "--memory", "64"], in: folder)
    #expect(enough.status == 0, "\(enough)")
    let command = try folder.expectFailure(
      5, "run", "running.onnx", "--input", "x.npz", "--memory", "63")
    #expect(command.errors.contains("63") && command.errors.contains("--memory"), "\(command)")
  }

  @Test func h7_whatNoMachineHasIsRefusedBeforeItIsAllocated() throws {
    let bytes = WireModel.with {
      $0.initializers = [
        WireModel.tensor("s", dims: [1], type: 7, raw: nil) { $0.int(7, 1 << 40) }
      ]
      $0.nodes = [
        WireModel.node("ConstantOfShape", ["s"], ["c"]),
        WireModel.node("ReduceSum", ["c"], ["r"]), WireModel.node("Add", ["x", "r"], ["y"]),
      ]
    }
    let path = try folder.write(bytes, to: "large.onnx")
    try folder.expectFailure(
      5, "run", path, "--input", try folder.write(FeedFile.x, to: "x.npz"))
  }

  @Test(arguments: ["0", "-1", "1.5", "lots", "99999999999999999999", "9999999999G", ""])
  func h7_aBudgetThatIsNoNumberIsAUsageError(_ text: String) throws {
    try folder.expectFailure(64, "run", "m.onnx", "--input", "x.npz", "--memory=\(text)")
  }

  @Test func h10_theThreadsOfTheLibraryChangeNoBit() throws {
    var results: Set<[UInt8]> = []
    for count in [1, 2, 64] {
      let command = try Command(
        [
          "sample", Fixtures.corpus("wan.onnx"), "--inputs", inputs, "--record", "r.npz",
          "--quiet", "--threads", "2",
        ], in: folder,
        prelude: "export OPENBLAS_NUM_THREADS=\(count) OMP_NUM_THREADS=\(count)")
      #expect(command.status == 0, "\(command)")
      results.insert(try folder.bytes("r.npz"))
    }
    #expect(results.count == 1)
  }

  @Test(arguments: ["nan", "inf", "-inf", "1e400", "0x1p4"])
  func numbersThatAreNoneAreRefusedOrHarmless(_ text: String) throws {
    for option in ["--shift", "--guidance"] {
      let command = try Command(
        [
          "sample", Fixtures.corpus("wan.onnx"), "--inputs", inputs, "\(option)=\(text)",
          "--quiet", "--steps", "1",
        ], in: folder)
      #expect([0, 64].contains(command.status), "\(command)")
    }
    let command = try Command(
      [
        "run", Fixtures.corpus("wan.onnx"), "--golden", Fixtures.corpus("wan.npz"),
        "--tolerance=\(text)",
      ], in: folder)
    #expect([0, 1, 64].contains(command.status), "\(command)")
  }

  @Test(arguments: ["0", "-1", "100001", "1000000000", "9223372036854775807"])
  func aHugeStepCountEndsAtOnce(_ steps: String) throws {
    try FileManager.default.copyItem(
      atPath: Fixtures.corpus("wan.onnx"), toPath: folder.path("wan.onnx"))
    try folder.write(
      Array("schedule s for any { cache stack { keep delta refresh every 2 } }\n".utf8),
      to: "s.dcs")
    for arguments in [
      ["rewrite", "wan.onnx", "--schedule", "s.dcs", "--dry-run", "--steps", steps],
      ["schedule", "explain", "s.dcs", "--blocks", "6", "--steps", steps],
      ["schedule", "explain", "s.dcs", "--blocks", steps, "--steps", "6"],
      ["rewrite", "wan.onnx", "--schedule", "s.dcs", "-o", "out.onnx", "--steps", steps],
    ] {
      let command = try Command(arguments, in: folder)
      #expect([3, 5, 64].contains(command.status), "\(command)")
    }
  }

  @Test func aHugeDimensionIsAnErrorNotATrap() throws {
    let command = try Command(
      [
        "run", Fixtures.corpus("wan_dyn.onnx"), "--golden", Fixtures.corpus("wan_dyn.npz"),
        "--dim", "hidden_states.2=4611686018427387904",
      ], in: folder)
    #expect(command.status < 70, "\(command)")
    let inspect = try Command(
      ["inspect", Fixtures.corpus("wan_dyn.onnx"), "--dim", "hidden_states.2=4611686018427387904"],
      in: folder)
    #expect(inspect.status < 70, "\(inspect)")
  }
}
