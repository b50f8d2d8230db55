import OnnxFile
import TestSupport
import Testing

/// Records that somebody changed: every one is an error, none writes a file.
@Suite struct UndoRecordTests {
  static let head = "ditcache-undo 1\noriginal 00 10\n"
  static let counts =
    "counts nodes=1 inputs=1 outputs=1 initializers=0 values=0 opsets=1 metadata=0\n"

  static let records = [
    "", "ditcache-undo 2\n", head, head + "counts nodes=1\n",
    head + counts.replacing("inputs=1", with: "inputs=-1"),
    head + counts.replacing("inputs=1", with: "inputs=9") + "place / 0\n",
    head + counts.replacing("opsets=1", with: "opsets=9") + "place / 0\n",
    head + counts.replacing("metadata=0", with: "metadata=9") + "place / 0\n",
    head + counts.replacing("nodes=1", with: "nodes=2") + "place / 0\n",
    head + counts.replacing("nodes=1", with: "nodes=9223372036854775807") + "place / 0\n",
    head + counts,
    head + counts + "place / 1\n",
    head + counts + "place / 0 0\n",
    head + counts + "place / 0-9223372036854775807\n",
    head + counts + "place / +1 0\n",
    head + counts + "place / +9223372036854775807 0\n",
    head + counts + "place /7.0 0\n",
    head + counts + "place /0.0 0\n",
    head + counts + "place /-1.-1 0\n",
    head + counts + "place / 3-1\n",
    head + counts + "place / ~0\n",
    head + counts + "place / ~-1\n",
    head + counts + "place / ~0\noperands 0 //8=\n",
    head + counts + "place / ~0\noperands 0 CgF4\noperands 0 CgF4\n",
    head + counts + "nodes 0 !!!\n",
    head + counts + "nodes 0 //8=\n",
    head + counts + "nodes 0 CgF4\nnodes 0 CgF4\n",
    head + counts + "place / 0\nopset 5 17\n",
    head + counts + "place / 0\nsurprise\n",
  ]

  @Test(arguments: records)
  func changedRecordsAreErrors(_ record: String) throws {
    let folder = try TemporaryFolder()
    let bytes = WireModel.with { $0.metadata = [("ditcache/undo", record)] }
    let model = try OnnxModel.read(folder.write(bytes, to: "model.onnx"))
    let error = #expect(throws: OnnxFileError.self) {
      try model.restoreOriginal(to: folder.path("back.onnx"))
    }
    #expect(error?.code == "undo-record", "\(String(describing: error))")
    #expect(try folder.names == ["model.onnx"])
  }

  @Test func aGoodRecordOfOtherBytesRestoresAnEquivalentModel() throws {
    let folder = try TemporaryFolder()
    let bytes = WireModel.with {
      $0.metadata = [("ditcache/undo", Self.head + Self.counts + "place / 0\n")]
    }
    let model = try OnnxModel.read(folder.write(bytes, to: "model.onnx"))
    let restored = try model.restoreOriginal(to: folder.path("back.onnx"))
    #expect(restored.outcome == .equivalent)
    #expect(try folder.bytes("back.onnx") == WireModel().bytes)
  }
}
