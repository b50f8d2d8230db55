import Adapters
import GraphIR
import ModelStructure
import ScheduleLanguage
import Testing

@Suite("AdapterChoice") struct AdapterChoiceTests {
  private static let renamed = """
    adapter wan-copy {
      latents hidden_states
      timestep timestep
      text encoder_hidden_states
      guidance sequential
      families blocks
    }
    """

  private func refusal(
    _ name: String?, _ adapters: [AdapterDescription], _ model: KnownModel
  ) throws -> AdapterError {
    try #require(throws: AdapterError.self) {
      try AdapterChoice.choose(name, among: adapters, for: model.graph, model.structure)
    }
  }

  @Test(
    "each model of the corpus is recognised by its own adapter",
    arguments: [
      ("wan", "wan"), ("wan_dyn", "wan"), ("wan_ts17", "wan"), ("hunyuan", "hunyuan"),
      ("hunyuan_opset23", "hunyuan"), ("flux", "flux"), ("cogvideox", "cogvideox"),
      ("ltx", "ltx"), ("dit", "dit"), ("pixart", "pixart"),
    ])
  func recognised(file: String, expected: String) throws {
    let model = try KnownModel(file)
    let adapters = try KnownAdapters.catalogue()
    for order in [adapters, adapters.reversed()] {
      let chosen = try AdapterChoice.choose(nil, among: order, for: model.graph, model.structure)
      #expect(chosen.name == expected)
    }
  }

  @Test("the user's choice stands, even where another adapter fits")
  func chosen() throws {
    let model = try KnownModel("wan")
    let chosen = try AdapterChoice.choose(
      "hunyuan", among: try KnownAdapters.catalogue(), for: model.graph, model.structure)
    #expect(chosen.name == "hunyuan")
  }

  @Test("an unknown name is refused with those that there are")
  func unknown() throws {
    let error = try refusal("qwen", try KnownAdapters.catalogue(), try KnownModel("wan"))
    #expect(error.code == "unknown-adapter")
    #expect(
      error.hint == "known adapters: cogvideox, dit, flux, hunyuan, ltx, mochi, pixart, sd3, wan")
  }

  @Test("two adapters that say equally much are ambiguous")
  func several() throws {
    let adapters = try KnownAdapters.catalogue() + KnownAdapters.parsed(Self.renamed)
    let error = try refusal(nil, adapters, try KnownModel("wan"))
    #expect(error.code == "several-adapters")
    #expect(error.message.hasSuffix("wan, wan-copy"))
  }

  @Test("of two adapters that fit, the one that says more is chosen")
  func weight() throws {
    let text = Self.renamed.replacing("  families blocks\n", with: "")
    let adapters = try KnownAdapters.parsed(text) + KnownAdapters.catalogue()
    let model = try KnownModel("wan")
    let chosen = try AdapterChoice.choose(nil, among: adapters, for: model.graph, model.structure)
    #expect(chosen.name == "wan")
  }

  @Test("a model that no adapter knows is refused with its inputs and families")
  func none() throws {
    let hunyuan = try KnownAdapters.named("hunyuan")
    let error = try refusal(nil, [hunyuan], try KnownModel("wan"))
    #expect(error.code == "no-adapter")
    #expect(error.message.contains("encoder_hidden_states, hidden_states, timestep"))
    #expect(error.message.hasSuffix("with block families blocks"))
    #expect(error.hint?.contains("hunyuan") == true)
  }

  @Test("an input under another name hides a model until it is renamed")
  func renames() throws {
    let model = try KnownModel("wan")
    let graph = try model.graph.renaming("hidden_states", to: "x")
    let adapters = try KnownAdapters.catalogue()
    #expect(throws: AdapterError.self) {
      try AdapterChoice.choose(nil, among: adapters, for: graph, model.structure)
    }
    let chosen = try AdapterChoice.choose(
      nil, among: adapters, for: graph, model.structure, renames: ["hidden_states": "x"])
    #expect(chosen.name == "wan")
  }
}
