import DiTCache
import Foundation
import Tensors
import TestSupport
import Testing

@Suite("shapes of what a rule combines") struct RuleShapeTests {
  @Test(
    "tensors with different numbers of tokens are refused before anything runs",
    arguments: [("", "shapes-differ"), (", base: input", nil)])
  func otherStream(parameter: String, code: String?) throws {
    let schedule = FileManager.default.temporaryDirectory
      .appending(path: "ditcache-shapes-\(UInt64.random(in: 0 ... .max)).dcs")
    try """
    import "dicache.dcs"
    schedule test for hunyuan {
      steps 4
      cache single[0..] { use dicache(threshold: 0.1\(parameter)) }
    }
    """.write(to: schedule, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: schedule) }
    func rewrite() throws {
      _ = try RewriteTask(
        model: LoadedModel(Fixtures.corpus("hunyuan.onnx")),
        schedule: schedule.path(percentEncoded: false))
    }
    guard let code else { return try rewrite() }
    let error = #expect(throws: (any Error).self) { try rewrite() } as? any ReportedError
    #expect(error?.code == code)
    #expect(error?.message.contains("79 and 72") == true)
  }
}
