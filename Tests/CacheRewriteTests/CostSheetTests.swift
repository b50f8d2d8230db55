import CacheRewrite
import GraphIR
import ModelStructure
import Rewrite
import ScheduleLanguage
import Testing
import TypeInference

@Suite struct CostSheetTests {
  private static func costs(_ body: String, tokens: Int, steps: Int = 50) throws -> CostSheet {
    var graph = ToyTransformer.graph(tokens: Dimension(tokens))
    _ = try PassPipeline([InferTypes()]).run(on: &graph)
    let schedule = try ToyTransformer.schedule(
      """
      schedule test for any {
        steps \(steps)
        cache stack {
          \(body)
        }
      }
      """)
    return try CacheRewriter().rewrite(
      graph, ModelStructure(of: graph), following: schedule, originalDigest: "none"
    ).costs
  }

  @Test("costs follow from the tables")
  func known() throws {
    let costs = try Self.costs("keep delta\nrefresh every 2", tokens: 3)
    #expect(costs.flopsComputed == 3 * 2 * 3 * 2 * 2)
    #expect(costs.flopsReused == 0)
    #expect(costs.flopsScheduled == 25 * 72)
    #expect(costs.stateBytes == 3 * 2 * 4)
  }

  @Test("a body that runs again costs what it computes")
  func body() throws {
    let costs = try Self.costs("compute when step == 0\nreuse body(input)", tokens: 3)
    #expect(costs.siteFlops == [0])
    #expect(costs.flopsReused == 72)
    #expect(costs.flopsScheduled == 50 * 72)
  }

  @Test(
    "what no integer holds is not known",
    arguments: [
      "keep delta\nrefresh every 2",
      "compute when step == 0\nreuse body(input)",
    ])
  func tooLarge(_ body: String) throws {
    let many = try Self.costs(body, tokens: 1 << 57)
    #expect(many.flopsComputed == 3 << 60)
    #expect(many.flopsScheduled == nil)
    let more = try Self.costs(body, tokens: (1 << 60) - 1)
    #expect(more.flopsComputed == nil && more.flopsReused == nil)
  }

  @Test("state that no integer counts is not known")
  func state() throws {
    #expect(try Self.costs("keep delta\nrefresh every 2", tokens: 1 << 60).stateBytes == nil)
  }
}
