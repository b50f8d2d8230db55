import Foundation
import OnnxFile
import Tensors
import TestSupport
import Testing

/// Part I of the list: outputs and the environment.
///
/// Faults of the system are in Tests/Faults.
@Suite struct OutputTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try folder.write(WireModel().bytes, to: "m.onnx")
    try folder.write(FeedFile.x, to: "x.npz")
  }

  /// A run that writes `y.npz`.
  private func run(
    _ arguments: [String] = [], output: String = "y.npz", prelude: String = "true",
    redirections: String = ""
  ) throws -> Command {
    try Command(
      ["run", "m.onnx", "--input", "x.npz", "--output", output] + arguments, in: folder,
      prelude: prelude, redirections: redirections)
  }

  @Test func i1_outputsNeverReplaceInputs() throws {
    #expect(symlink("x.npz", folder.path("link")) == 0)
    for output in ["x.npz", "./x.npz", "m.onnx", "link", folder.path("x.npz")] {
      let command = try run(output: output)
      #expect(command.status == 64, "\(command)")
    }
    #expect(try folder.bytes("x.npz") == FeedFile.x)
    #expect(try run(output: "absent/y.npz").status == 6)
    #expect(try folder.names == ["link", "m.onnx", "x.npz"])
  }

  @Test func i2_aFileSizeLimitLeavesTheOldFile() throws {
    try folder.write([UInt8](repeating: 7, count: 100), to: "y.npz")
    let command = try run(prelude: "trap '' XFSZ && ulimit -f 0")
    // The shell's own redirections obey the limit, too, so only the files are looked at.
    #expect(command.status != 0)
    #expect(try folder.bytes("y.npz") == [UInt8](repeating: 7, count: 100))
    #expect(try folder.names == ["m.onnx", "x.npz", "y.npz"])
  }

  @Test(.enabled(if: TestTier.current >= .long, "it takes six gigabytes"))
  func i6_anOutputOverTwoGibibytesIsRefusedBeforeItHasAName() throws {
    let path = folder.path("large.onnx")
    try LargeFile.writeModel(ofWeights: Int(Int32.max) - 200, to: path)
    let model = try OnnxModel.read(path)
    let note = String(repeating: "long", count: 1000)
    let error = #expect(throws: OnnxFileError.self) {
      try model.write(
        model.graph, metadata: [("ditcache/note", note)], to: folder.path("out.onnx"))
    }
    #expect(error?.category == .overLimit)
    #expect(try folder.names == ["large.onnx", "m.onnx", "x.npz"])
  }

  @Test(arguments: ["umask 077", "umask 022"])
  func i7_theModeFollowsTheMaskAndThenTheOldFile(_ mask: String) throws {
    let mode = { (name: String) -> Int in
      let attributes = try? FileManager.default.attributesOfItem(atPath: folder.path(name))
      return attributes?[.posixPermissions] as? Int ?? 0
    }
    #expect(try run(prelude: mask).status == 0)
    #expect(mode("y.npz") == (mask.hasSuffix("077") ? 0o600 : 0o644))
    #expect(chmod(folder.path("y.npz"), 0o640) == 0)
    #expect(try run(prelude: mask).status == 0)
    #expect(mode("y.npz") == 0o640)
    #expect(chmod(folder.path, 0o1777) == 0)
    #expect(try run(output: "z.npz", prelude: mask).status == 0)
  }

  @Test func i8_ofTwoWritersBothAreWholeAndOneWins() async throws {
    let folder = folder
    let statuses = try await withThrowingTaskGroup(of: Int32.self) { group in
      for _ in 0..<4 {
        group.addTask {
          try Command(
            ["run", "m.onnx", "--input", "x.npz", "--output", "y.npz"], in: folder,
            prelude: "for i in 1 2 3 4 5; do \"$0\" \"$@\" --quiet || exit 1; done"
          ).status
        }
      }
      return try await group.reduce(into: [Int32]()) { $0.append($1) }
    }
    #expect(statuses == [0, 0, 0, 0])
    #expect(try folder.names == ["m.onnx", "x.npz", "y.npz"])
    #expect(try run(output: "alone.npz").status == 0)
    #expect(try folder.bytes("y.npz") == folder.bytes("alone.npz"))
  }

  @Test func i10_fieldsOfLaterFormatsArePreserved() throws {
    let bytes = WireModel.with { model in
      model.irVersion = 11
      model.nodes = [
        WireModel.node("Identity", ["x"], ["y"]) { node in
          node.text(8, "overload")
          node.message(9) {
            $0.text(1, "key")
            $0.text(2, "value")
          }
          node.data(77, [1, 2, 3])
        }
      ]
      model.extra.data(88, [4, 5])
      model.extraInGraph.message(16) { $0.text(1, "graph key") }
      model.extraInGraph.data(99, [6])
    }
    try folder.expectRoundTrip(of: bytes)
  }

  @Test(arguments: [
    "export LC_ALL=de_DE.UTF-8 LANG=de_DE.UTF-8", "export LC_ALL=tr_TR.UTF-8", "export TZ=XYZ",
    "unset HOME PATH_INFO", "export LC_ALL=C",
  ])
  func i11_theEnvironmentChangesNoNumber(_ prelude: String) throws {
    let command = try run(prelude: prelude)
    #expect(command.status == 0, "\(command)")
    #expect(try run(output: "plain.npz").status == 0)
    #expect(try folder.bytes("y.npz") == folder.bytes("plain.npz"))
  }

  @Test(arguments: ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-", ">/dev/null 2>&1"])
  func i11_closedStreamsDoNotReachTheOutputs(_ redirections: String) throws {
    let command = try run(redirections: redirections)
    #expect(command.status == 0, "\(command)")
    #expect(try run(output: "plain.npz").status == 0)
    #expect(try folder.bytes("y.npz") == folder.bytes("plain.npz"))
    // An error must not be written into a file that got the number of a closed stream.
    let failed = try Command(
      ["rewrite", "m.onnx", "--schedule", "none.dcs", "-o", "o.onnx"], in: folder,
      redirections: redirections)
    #expect(failed.status != 0 && failed.status < 70)
    #expect(try folder.names == ["m.onnx", "plain.npz", "x.npz", "y.npz"])
  }

  @Test func i11_resultsThatNobodyCanReadAreAnError() throws {
    for arguments in [
      ["schedule", "list"], ["inspect", "m.onnx"], ["inspect", "--text", "m.onnx"],
    ] {
      let full = try Command(arguments, in: folder, redirections: ">/dev/full")
      #expect(full.status == 6, "\(full)")
    }
    let pipe = try Command(
      ["-c", "\"$DITCACHE\" schedule list | true; exit ${PIPESTATUS[0]}"], in: folder,
      prelude: "DITCACHE=\"$0\"; export DITCACHE; set -- bash \"$@\"; shift 0; exec \"$@\"; true")
    #expect([0, 6].contains(pipe.status), "\(pipe)")
  }

  @Test func i12_fewDescriptorsAndASmallStackSuffice() throws {
    #expect(try run(prelude: "ulimit -n 16").status == 0)
    #expect(try run(prelude: "ulimit -s 512").status == 0)
  }

  @Test(arguments: [
    "-x.onnx", "--help.onnx", "line\nbreak.onnx", "tab\t.onnx", "quote'.onnx", "ünïcödé 模型.onnx",
    "cafe\u{301}.onnx", "$(touch hacked).onnx", "%s%n.onnx", "\u{202E}abc.onnx", "*.onnx",
  ])
  func i13_anyFileNameWorks(_ name: String) throws {
    try folder.write(WireModel().bytes, to: name)
    let inspect = try Command(["inspect", "--", name], in: folder)
    #expect(inspect.status == 0, "\(inspect)")
    let output = name.replacing(".onnx", with: ".npz")
    let command = try Command(
      ["run", "--input", "x.npz", "--output=\(output)", "--", name], in: folder)
    #expect(command.status == 0, "\(command)")
    #expect(Set(try folder.names) == ["m.onnx", "x.npz", name, output])
    let missing = try Command(["inspect", "--", "no" + name], in: folder)
    #expect(missing.status == 6, "\(missing)")
    #expect(!missing.errors.contains("\u{202E}") && !missing.errors.dropLast().contains("\n\n"))
  }

  @Test func i13_manyAndLongArgumentsAreAnError() throws {
    let many = try Command(
      ["schedule", "check"] + [String](repeating: "none.dcs", count: 5000), in: folder)
    #expect(many.status == 6, "\(many.status)")
    let long = try Command(["inspect", String(repeating: "a", count: 100_000)], in: folder)
    #expect(long.status == 6 && long.errors.utf8.count < 300_000, "\(long.status)")
    let name = try Command(["inspect", String(repeating: "a", count: 256)], in: folder)
    #expect(name.status == 6, "\(name)")
    #expect(try Command(["inspect", ""], in: folder).status == 6)
    #expect(try Command([""], in: folder).status == 64)
  }

  @Test func i13_aNameThatIsNotUTF8IsAnErrorAndNoCrash() throws {
    let command = try Command(
      ["inspect"], in: folder, prelude: "set -- \"$@\" \"$(printf 'bad\\377\\376.onnx')\"")
    #expect(command.status == 6, "\(command)")
  }

  @Test func aFolderThatIsReadOnlyOrAFileIsAnError() throws {
    try folder.write([1], to: "file")
    for arguments in [
      [
        "sample", Fixtures.corpus("wan.onnx"), "--inputs", Fixtures.corpus("wan_traj.npz"), "-o",
        "file",
      ],
      ["run", "m.onnx", "--input", "x.npz", "--output", "file/y.npz"],
      ["run", "m.onnx", "--input", "x.npz", "--output", "/proc/y.npz"],
      ["run", "m.onnx", "--input", "x.npz", "--output", "/dev/null"],
      ["run", "m.onnx", "--input", "x.npz", "--output", ""],
      ["run", "m.onnx", "--input", "x.npz", "--trace", "absent/t.json"],
    ] {
      let command = try Command(arguments, in: folder)
      #expect(command.status == 6, "\(command)")
    }
    #expect(try folder.names == ["file", "m.onnx", "x.npz"])
  }
}
