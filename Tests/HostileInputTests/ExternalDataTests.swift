import Foundation
import GraphIR
import OnnxFile
import Tensors
import TestSupport
import Testing

@Suite struct ExternalDataTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  static let records: [HostileCase] =
    [
      bad("external-data-record", [("offset", "0")]),
      bad("external-data-record", [("location", "w"), ("location", "w")]),
      bad("external-data-record", [("location", "w"), ("__class__", "x")]),
      bad("external-data-record", [("location", "w"), ("length", "7")]),
      bad("external-data-record", [("location", "w"), ("length", "1125899906842624")]),
      bad("external-data-record", [("location", "w"), ("offset", "9223372036854775807")]),
      bad("external-data-location", [("location", "")]),
      bad("external-data-location", [("location", ".")]),
      bad("external-data-location", [("location", "../w")]),
      bad("external-data-location", [("location", "a/../../w")]),
      bad("external-data-location", [("location", "./../w")]),
      bad("external-data-location", [("location", "/etc/passwd")]),
      bad("external-data-location", [("location", "~/w")]),
      bad("external-data-location", [("location", "file:///etc/passwd")]),
      bad("external-data-location", [("location", "C:\\w")]),
      bad("external-data-location", [("location", "\\\\server\\w")]),
      bad("external-data-location", [("location", "w\0x")]),
    ]
    + ["-1", "+5", "007", " 5", "0x10", "1e3", "٥", "", "18446744073709551616"].map {
      bad("external-data-record", [("location", "w"), ("offset", $0)])
    }

  private static func bad(_ code: String, _ entries: [(String, String)]) -> HostileCase {
    HostileCase("\(entries)", code) { $0.initializers = [WireModel.external(entries)] }
  }

  @Test(arguments: records)
  func badRecordsAreRefusedAtImport(_ bad: HostileCase) throws {
    let path = try folder.write(bad.bytes, to: "model.onnx")
    let error = #expect(throws: OnnxFileError.self) { try OnnxModel.read(path) }
    #expect(error?.code == bad.code, "\(String(describing: error))")
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

  @Test func missingAndShortFilesAreToldApart() throws {
    let model = try model("w")
    expectRefusal(model, "external-data-missing")
    _ = try folder.write([1, 2, 3], to: "model/w")
    expectRefusal(model, "external-data-short")
  }

  @Test func linksMayNotLeadOutside() throws {
    let secret = try folder.write([UInt8](repeating: 1, count: 8), to: "secret")
    let file = try model("link")
    #expect(symlink(secret, folder.path("model/link")) == 0)
    expectRefusal(file, "external-data-location")
    let inFolder = try model("sub/secret", in: "other")
    #expect(symlink(folder.path, folder.path("other/sub")) == 0)
    expectRefusal(inFolder, "external-data-location")
  }

  @Test func linksWithinTheFolderAreFollowed() throws {
    let model = try model("link")
    _ = try folder.write([UInt8](repeating: 1, count: 8), to: "model/data")
    #expect(symlink("data", folder.path("model/link")) == 0)
    try model.requireWeights()
    #expect(try load(model).bytes == [UInt8](repeating: 1, count: 8))
  }

  @Test func aCacheOfBlobsIsRead() throws {
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

  @Test func hardLinksNeedPermission() throws {
    let secret = try folder.write([UInt8](repeating: 1, count: 8), to: "secret")
    let model = try model("w")
    #expect(link(secret, folder.path("model/w")) == 0)
    expectRefusal(model, "external-data-location")
    var limits = OnnxLimits()
    limits.allowsHardLinks = true
    try OnnxModel.read(folder.path("model/model.onnx"), limits: limits).requireWeights()
  }

  @Test func whatIsNoFileIsRefusedWithoutBlocking() throws {
    let pipe = try model("pipe")
    #expect(mkfifo(folder.path("model/pipe"), 0o600) == 0)
    expectRefusal(pipe, "not-a-regular-file")
    try FileManager.default.createDirectory(
      atPath: folder.path("model/sub"), withIntermediateDirectories: true)
    expectRefusal(try model("sub"), "not-a-regular-file")
    expectRefusal(try model("model.onnx"), "external-data-location")
  }

  @Test func markersOfOtherToolsAreOrdinaryNames() throws {
    expectRefusal(try model("*/_ORT_MEM_ADDR_/*"), "external-data-missing")
  }
}
