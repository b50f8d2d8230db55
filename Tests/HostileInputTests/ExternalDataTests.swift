import Foundation
import GraphIR
import OnnxFile
import Tensors
import TestSupport
import Testing

/// Part E of the list: external data.
@Suite struct ExternalDataTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  static let records: [HostileCase] =
    [
      bad("E1", "external-data-location", [("location", "../../w")]),
      bad("E1", "external-data-location", [("location", "a/..")]),
      bad("E12", "external-data-record", [("location", "w"), ("length", "0")]),
      bad("E13", "external-data-record", [("location", "w"), ("length", "4611686018427387904")]),
      bad("E14", "external-data-record", [("location", "w"), ("basepath", "/")]),
      bad("E17", "external-data-record", [("location", "w"), ("checksum", "")]),
      bad("E17", "external-data-record", [("location", "w"), ("checksum", "12ab")]),
      bad(
        "E17", "external-data-record",
        [("location", "w"), ("checksum", String(repeating: "g", count: 40))]),
      bad("E11", "external-data-record", [("offset", "0")]),
      bad("E14", "external-data-record", [("location", "w"), ("location", "w")]),
      bad("E14", "external-data-record", [("location", "w"), ("__class__", "x")]),
      bad("E12", "external-data-record", [("location", "w"), ("length", "7")]),
      bad("E13", "external-data-record", [("location", "w"), ("length", "1125899906842624")]),
      bad("E12", "external-data-record", [("location", "w"), ("offset", "9223372036854775807")]),
      bad("E7", "external-data-location", [("location", "")]),
      bad("E7", "external-data-location", [("location", ".")]),
      bad("E1", "external-data-location", [("location", "../w")]),
      bad("E1", "external-data-location", [("location", "a/../../w")]),
      bad("E1", "external-data-location", [("location", "./../w")]),
      bad("E2", "external-data-location", [("location", "/etc/passwd")]),
      bad("E2", "external-data-location", [("location", "~/w")]),
      bad("E2", "external-data-location", [("location", "file:///etc/passwd")]),
      bad("E2", "external-data-location", [("location", "C:\\w")]),
      bad("E2", "external-data-location", [("location", "\\\\server\\w")]),
      bad("E8", "external-data-location", [("location", "w\0x")]),
    ]
    + ["-1", "+5", "007", " 5", "0x10", "1e3", "٥", "", "18446744073709551616"].map {
      bad("E11", "external-data-record", [("location", "w"), ("offset", $0)])
    }

  private static func bad(
    _ item: String, _ code: String, _ entries: [(String, String)]
  ) -> HostileCase {
    HostileCase("\(item) \(entries)", code) { $0.initializers = [WireModel.external(entries)] }
  }

  @Test(arguments: records)
  func badRecordsAreRefusedAtImport(_ bad: HostileCase) throws {
    let error = try folder.expectRefusal(of: bad.bytes, bad.code)
    #expect(error?.category == .badModel)
  }

  /// A model of one tensor of eight bytes at `location`, in a folder of its own.
  private func model(
    _ location: String, offset: Int = 0, in name: String = "model"
  ) throws -> OnnxModel {
    try FileManager.default.createDirectory(
      atPath: folder.path(name), withIntermediateDirectories: true)
    let bytes = WireModel.with {
      $0.initializers = [
        WireModel.external([("location", location), ("offset", "\(offset)"), ("length", "8")])
      ]
    }
    return try OnnxModel.read(folder.write(bytes, to: "\(name)/model.onnx"))
  }

  private func load(_ model: OnnxModel) throws -> Tensor {
    let value = try #require(model.graph.initializerOrder.first)
    return try #require(model.graph.initializers[value]).load()
  }

  private func expectRefusal(_ model: OnnxModel, _ code: String) {
    let required = #expect(throws: OnnxFileError.self) { try model.requireWeights() }
    #expect(required?.code == code, "\(String(describing: required))")
    let loaded = #expect(throws: OnnxFileError.self) { try load(model) }
    #expect(loaded?.code == code)
  }

  @Test func weightsAreReadAtTheirOffset() throws {
    let model = try model("w", offset: 4)
    _ = try folder.write([9, 9, 9, 9] + Tensor([1.5, -2] as [Float]).bytes, to: "model/w")
    try model.requireWeights()
    #expect(try load(model).bytes == Tensor([1.5, -2] as [Float]).bytes)
  }

  @Test func unalignedWeightsAreCopied() throws {
    let model = try model("w", offset: 3)
    _ = try folder.write([9, 9, 9] + Tensor([1.5, -2] as [Float]).bytes, to: "model/w")
    let tensor = try load(model)
    #expect(UInt(bitPattern: tensor.base) % 4 == 0)
    #expect(tensor.bytes == Tensor([1.5, -2] as [Float]).bytes)
  }

  @Test func e15_e12_missingAndShortFilesAreToldApart() throws {
    let model = try model("w")
    expectRefusal(model, "external-data-missing")
    _ = try folder.write([1, 2, 3], to: "model/w")
    expectRefusal(model, "external-data-short")
  }

  @Test func e3_linksMayNotLeadOutside() throws {
    let secret = try folder.write([UInt8](repeating: 1, count: 8), to: "secret")
    let file = try model("link")
    #expect(symlink(secret, folder.path("model/link")) == 0)
    expectRefusal(file, "external-data-location")
    let inFolder = try model("sub/secret", in: "other")
    #expect(symlink(folder.path, folder.path("other/sub")) == 0)
    expectRefusal(inFolder, "external-data-location")
  }

  @Test func e4_linksWithinTheFolderAreFollowed() throws {
    let model = try model("link")
    _ = try folder.write([UInt8](repeating: 1, count: 8), to: "model/data")
    #expect(symlink("data", folder.path("model/link")) == 0)
    try model.requireWeights()
    #expect(try load(model).bytes == [UInt8](repeating: 1, count: 8))
  }

  @Test func e5_aCacheOfBlobsIsRead() throws {
    _ = try model("w", in: "blobs")
    _ = try folder.write([UInt8](repeating: 1, count: 8), to: "blobs/4e5f")
    try FileManager.default.createDirectory(
      atPath: folder.path("snapshot"), withIntermediateDirectories: true)
    #expect(symlink("../blobs/model.onnx", folder.path("snapshot/model.onnx")) == 0)
    #expect(symlink("../blobs/4e5f", folder.path("snapshot/w")) == 0)
    let model = try OnnxModel.read(folder.path("snapshot/model.onnx"))
    try model.requireWeights()
    #expect(try load(model).elementCount == 2)
  }

  @Test func e6_hardLinksNeedPermission() throws {
    let secret = try folder.write([UInt8](repeating: 1, count: 8), to: "secret")
    let model = try model("w")
    #expect(link(secret, folder.path("model/w")) == 0)
    expectRefusal(model, "external-data-location")
    var limits = OnnxLimits()
    limits.allowsHardLinks = true
    try OnnxModel.read(folder.path("model/model.onnx"), limits: limits).requireWeights()
  }

  @Test func e7_e10_whatIsNoFileIsRefusedWithoutBlocking() throws {
    let pipe = try model("pipe")
    #expect(mkfifo(folder.path("model/pipe"), 0o600) == 0)
    expectRefusal(pipe, "not-a-regular-file")
    try FileManager.default.createDirectory(
      atPath: folder.path("model/sub"), withIntermediateDirectories: true)
    expectRefusal(try model("sub"), "not-a-regular-file")
    expectRefusal(try model("model.onnx"), "external-data-location")
  }

  @Test func e9_markersOfOtherToolsAreOrdinaryNames() throws {
    expectRefusal(try model("*/_ORT_MEM_ADDR_/*"), "external-data-missing")
  }

  @Test func e2_addressesOfTheNetworkAreNotOpened() throws {
    for location in ["http://localhost/w", "https://a/b", "ftp://a", "s3://a/b"] {
      let bytes = WireModel.with {
        $0.initializers = [WireModel.external([("location", location)])]
      }
      try folder.expectRefusal(of: bytes, "external-data-location")
    }
  }

  @Test func e3_aLinkToTheSystemIsRefused() throws {
    let model = try model("link")
    #expect(symlink("/etc/passwd", folder.path("model/link")) == 0)
    expectRefusal(model, "external-data-location")
    #expect(unlink(folder.path("model/link")) == 0)
    #expect(symlink("/proc/self/root/etc/passwd", folder.path("model/link")) == 0)
    expectRefusal(model, "external-data-location")
  }

  @Test func e5_theLayoutOfTheHuggingFaceCacheIsRead() throws {
    let hub = "hub/models--a--b"
    for name in ["\(hub)/blobs", "\(hub)/snapshots/1f2e/onnx"] {
      try FileManager.default.createDirectory(
        atPath: folder.path(name), withIntermediateDirectories: true)
    }
    let bytes = WireModel.with {
      $0.initializers = [WireModel.external([("location", "model.onnx_data"), ("length", "8")])]
    }
    try folder.write(bytes, to: "\(hub)/blobs/aa11")
    try folder.write([UInt8](repeating: 1, count: 8), to: "\(hub)/blobs/bb22")
    let snapshot = folder.path("\(hub)/snapshots/1f2e/onnx")
    #expect(symlink("../../../blobs/aa11", snapshot + "/model.onnx") == 0)
    #expect(symlink("../../../blobs/bb22", snapshot + "/model.onnx_data") == 0)
    let model = try OnnxModel.read(snapshot + "/model.onnx")
    try model.requireWeights()
    #expect(try load(model).elementCount == 2)
    #expect(unlink(snapshot + "/model.onnx_data") == 0)
    let secret = try folder.write([UInt8](repeating: 1, count: 8), to: "secret")
    #expect(symlink(secret, snapshot + "/model.onnx_data") == 0)
    expectRefusal(model, "external-data-location")
  }

  @Test func e6_theFlagAcceptsHardLinks() throws {
    _ = try model("w")
    let other = try folder.write([UInt8](repeating: 0, count: 8), to: "other")
    #expect(link(other, folder.path("model/w")) == 0)
    let input = try folder.write(FeedFile.x, to: "x.npz")
    let path = folder.path("model/model.onnx")
    try folder.expectFailure(2, "run", path, "--input", input)
    let allowed = try Command(["run", path, "--input", input, "--allow-hard-links"], in: folder)
    #expect(allowed.status == 0, "\(allowed)")
  }

  @Test func e7_socketsAndDevicesAreRefused() throws {
    let model = try model("s")
    let socket = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let path = Array(folder.path("model/s").utf8)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.prefix($0.count - 1)) }
    let bound = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    #expect(bound == 0)
    let error = #expect(throws: OnnxFileError.self) { try load(model) }
    #expect(error?.category == .inputOutput, "\(String(describing: error))")
  }

  @Test func e12_anErrorNamesAllThreeNumbers() throws {
    let model = try model("w", offset: 100)
    _ = try folder.write([UInt8](repeating: 1, count: 50), to: "model/w")
    let error = #expect(throws: OnnxFileError.self) { try load(model) }
    #expect(error?.message.contains("50") == true && error?.message.contains("108") == true)
  }

  @Test func e13_aPetabyteIsRefusedBeforeItIsAllocated() throws {
    let count = Int64(1) << 48
    let bytes = WireModel.with {
      $0.initializers = [
        WireModel.external([("location", "w"), ("length", "\(4 * count)")], dims: [count])
      ]
    }
    let path = try folder.write(bytes, to: "petabyte.onnx")
    try folder.write([1, 2, 3], to: "w")
    let input = try folder.write(FeedFile.x, to: "x.npz")
    try folder.expectFailure(2, "run", path, "--input", input)
    try LargeFile.extend(folder.path("w"), to: 1 << 42)
    let sparse = WireModel.with {
      $0.initializers = [
        WireModel.external([("location", "w"), ("length", "\(1 << 42)")], dims: [1 << 40])
      ]
      $0.nodes = [
        WireModel.node("ReduceSum", ["w"], ["s"]), WireModel.node("Add", ["x", "s"], ["y"]),
      ]
    }
    // Four tebibytes that the file system has, and no machine.
    try folder.write(sparse, to: "petabyte.onnx")
    try folder.expectFailure(5, "run", path, "--input", input)
  }

  @Test func e13_theSumOfHugeWeightsIsNoTrap() throws {
    let bytes = WireModel.with {
      $0.initializers = (0..<8).map { number in
        Wire { tensor in
          tensor.int(1, 1 << 60)
          tensor.int(2, 1)
          tensor.text(8, "w\(number)")
          tensor.message(13) {
            $0.text(1, "location")
            $0.text(2, "w")
          }
          tensor.int(14, 1)
        }.bytes
      }
    }
    let path = try folder.write(bytes, to: "huge.onnx")
    let command = try Command(["inspect", path], in: folder)
    #expect(command.status == 0, "\(command)")
  }

  @Test func e15_theFileOfTheFirstReadingIsTheFileOfAll() throws {
    let two = WireModel.with {
      $0.initializers = ["a", "b"].enumerated().map { index, name in
        WireModel.tensor(name, raw: nil) { tensor in
          for (key, value) in [("location", "w"), ("offset", "\(8 * index)")] {
            tensor.message(13) {
              $0.text(1, key)
              $0.text(2, value)
            }
          }
          tensor.int(14, 1)
        }
      }
    }
    let model = try folder.read(two)
    try folder.write([UInt8](repeating: 1, count: 16), to: "w")
    let tensors = try model.graph.initializerOrder.map {
      try #require(model.graph.initializers[$0])
    }
    #expect(try tensors[0].load().bytes == [UInt8](repeating: 1, count: 8))
    try folder.write([UInt8](repeating: 2, count: 16), to: "other")
    #expect(rename(folder.path("other"), folder.path("w")) == 0)
    let error = #expect(throws: OnnxFileError.self) { try tensors[1].load() }
    #expect(error?.category == .inputOutput)
  }

  @Test func e15_bytesThatSomebodyHoldsAreReadOnce() throws {
    let model = try model("w")
    _ = try folder.write([UInt8](repeating: 1, count: 8), to: "model/w")
    let first = try load(model)
    #expect(try load(model).storage === first.storage)
  }

  @Test func e16_tensorsMayShareBytes() throws {
    let bytes = WireModel.with {
      $0.initializers = ["a", "b"].map { name in
        WireModel.tensor(name, raw: nil) { tensor in
          tensor.message(13) {
            $0.text(1, "location")
            $0.text(2, "w")
          }
          tensor.int(14, 1)
        }
      }
    }
    let model = try folder.read(bytes)
    try folder.write([UInt8](repeating: 1, count: 8), to: "w")
    for stored in model.graph.initializers.values { #expect(try stored.load().elementCount == 2) }
  }

  @Test func e17_aChecksumIsVerified() throws {
    let content = Array("abcdefgh".utf8)
    let due = "425af12a0743502b322e93a015bcf868e324d56a"
    for (checksum, isGood) in [
      (due, true), (due.uppercased(), true), (String(due.reversed()), false),
    ] {
      let bytes = WireModel.with {
        $0.initializers = [WireModel.external([("location", "w"), ("checksum", checksum)])]
      }
      let model = try folder.read(bytes)
      try folder.write(content, to: "w")
      if isGood {
        #expect(try load(model).bytes == content)
      } else {
        let error = #expect(throws: OnnxFileError.self) { try load(model) }
        #expect(error?.code == "external-data-checksum" && error?.category == .badModel)
      }
    }
  }

  @Test func e17_twoChecksumsOfOneFileAreRefused() throws {
    let bytes = WireModel.with {
      $0.initializers = ["0", "1"].map { digit in
        WireModel.tensor("w" + digit, raw: nil) { tensor in
          for (key, value) in [
            ("location", "w"), ("checksum", String(repeating: digit, count: 40)),
          ] {
            tensor.message(13) {
              $0.text(1, key)
              $0.text(2, value)
            }
          }
          tensor.int(14, 1)
        }
      }
    }
    try folder.expectRefusal(of: bytes, "external-data-record")
  }

  @Test func e18_aFileThatShrinksIsAnErrorAndNoSignal() throws {
    let model = try model("w")
    let path = try folder.write([UInt8](repeating: 1, count: 8), to: "model/w")
    let tensor = try load(model)
    #expect(truncate(path, 0) == 0)
    // What was read stays; what was not is an error.
    #expect(tensor.bytes == [UInt8](repeating: 1, count: 8))
    let again = try OnnxModel.read(folder.path("model/model.onnx"))
    #expect(throws: OnnxFileError.self) { try load(again) }
  }

  @Test func e18_mappedWeightsAreTheSame() throws {
    _ = try model("w", offset: 3)
    _ = try folder.write([9, 9, 9] + Tensor([1.5, -2] as [Float]).bytes, to: "model/w")
    var limits = OnnxLimits()
    limits.mapsWeights = true
    let model = try OnnxModel.read(folder.path("model/model.onnx"), limits: limits)
    #expect(try load(model).bytes == Tensor([1.5, -2] as [Float]).bytes)
  }

  /// External data of a tensor in an attribute, a branch, a sparse tensor and training data.
  @Test(arguments: ["attribute", "branch", "sparse", "training", "function"])
  func e19_theRulesHoldWhereverATensorStands(_ place: String) throws {
    let outside = WireModel.external([("location", "../secret")])
    let bytes = WireModel.with { model in
      switch place {
      case "attribute":
        model.nodes = [
          WireModel.node("Constant", [], ["c"]) { node in
            node.message(5) {
              $0.text(1, "value")
              $0.data(5, outside)
              $0.int(20, 4)
            }
          }, WireModel.node("Add", ["x", "c"], ["y"]),
        ]
      case "branch":
        model.nodes = [
          WireModel.node("If", ["x"], ["y"]) { node in
            node.message(5) { attribute in
              attribute.text(1, "then_branch")
              attribute.message(6) { graph in
                graph.data(5, outside)
                graph.data(12, WireModel.value("w"))
              }
              attribute.int(20, 5)
            }
          }
        ]
      case "sparse":
        model.extraInGraph.message(15) { sparse in
          sparse.data(1, outside)
          sparse.data(2, WireModel.tensor("i", dims: [2], type: 7, raw: 16))
          sparse.int(3, 4)
        }
      case "training":
        model.extra.message(20) { training in
          training.message(1) { $0.data(5, outside) }
        }
      default:
        model.extra.message(25) { function in
          function.text(1, "f")
          function.data(
            7,
            WireModel.node("Constant", [], ["c"]) { node in
              node.message(5) {
                $0.text(1, "value")
                $0.data(5, outside)
                $0.int(20, 4)
              }
            })
        }
      }
    }
    try folder.write([UInt8](repeating: 7, count: 8), to: "secret")
    try FileManager.default.createDirectory(
      atPath: folder.path("inner"), withIntermediateDirectories: true)
    let path = try folder.write(bytes, to: "inner/model.onnx")
    let command = try Command(
      ["run", path, "--input", try folder.write(FeedFile.x, to: "x.npz")], in: folder)
    // Training data and functions that nobody calls are carried along and never opened.
    let isCarried = ["training", "function"].contains(place)
    #expect(command.status == (isCarried ? 0 : 2) || command.status == 4, "\(command)")
  }

  @Test func e20_tenThousandFilesNeedFewDescriptors() throws {
    let count = TestTier.current >= .full ? 10_000 : 1_000
    let bytes = WireModel.with { model in
      model.initializers = (0..<count).map { number in
        WireModel.tensor("w\(number)", raw: nil) { tensor in
          tensor.message(13) {
            $0.text(1, "location")
            $0.text(2, "w\(number)")
          }
          tensor.int(14, 1)
        }
      }
      model.nodes = [WireModel.node("Sum", ["x"] + (0..<count).map { "w\($0)" }, ["y"])]
    }
    let path = try folder.write(bytes, to: "many.onnx")
    for number in 0..<count {
      try folder.write([0, 0, 0x80, 0x3F, 0, 0, 0, 0], to: "w\(number)")
    }
    let input = try folder.write(FeedFile.x, to: "x.npz")
    let command = try Command(
      ["run", path, "--input", input], in: folder, prelude: "ulimit -n 64")
    #expect([0, 4].contains(command.status), "\(command)")
    let model = try OnnxModel.read(path)
    for stored in model.graph.initializers.values { #expect(try stored.load().elementCount == 2) }
  }

  @Test func e21_aModelOnStandardInputHasNoFolder() throws {
    let bytes = WireModel.with {
      $0.initializers = [WireModel.external([("location", "w")])]
      $0.nodes = [WireModel.node("Add", ["x", "w"], ["y"])]
    }
    try folder.write(bytes, to: "model.onnx")
    try folder.write([UInt8](repeating: 0, count: 8), to: "w")
    try folder.write(FeedFile.x, to: "x.npz")
    let command = try Command(
      ["run", "/dev/stdin", "--input", "x.npz"], in: folder, redirections: "<model.onnx")
    #expect([2, 6].contains(command.status), "\(command)")
  }

  @Test func e22_bytesInsideAndOutsideContradict() throws {
    let both = WireModel.external([("location", "w")], raw: 8)
    try folder.expectRefusal(
      of: WireModel.with { $0.initializers = [both] }, "malformed-tensor")
    let inside = WireModel.tensor { tensor in
      tensor.message(13) {
        $0.text(1, "location")
        $0.text(2, "w")
      }
    }
    try folder.expectRefusal(
      of: WireModel.with { $0.initializers = [inside] }, "malformed-tensor")
    let seventh = WireModel.tensor(raw: nil) { $0.int(14, 7) }
    try folder.expectRefusal(
      of: WireModel.with { $0.initializers = [seventh] }, "malformed-tensor")
  }
}
