import Adapters
import GraphIR
import Tensors
import Testing

@Suite("InputRoles") struct InputRolesTests {
  @Test("Wan's inputs and its authors' settings")
  func wan() throws {
    let roles = try InputRoles(try KnownAdapters.named("wan"), of: try KnownModel("wan").graph)
    #expect(roles.latents == "hidden_states")
    #expect(roles.timestep == "timestep")
    #expect(roles.timestepMultiplier == 1000)
    #expect(roles.conditioning == ["encoder_hidden_states"])
    #expect(roles.extras.isEmpty)
    #expect(roles.guidance == .sequential)
    #expect(roles.guidanceScale == 5 && roles.shift == 5 && roles.steps == 50)
  }

  @Test("HunyuanVideo's guidance is an input; masks and pooled text are conditioning")
  func hunyuan() throws {
    let roles = try InputRoles(
      try KnownAdapters.named("hunyuan"), of: try KnownModel("hunyuan").graph)
    #expect(roles.guidance == .embedded(input: "guidance", multiplier: 1000))
    #expect(
      roles.conditioning == [
        "encoder_hidden_states", "encoder_attention_mask", "pooled_projections",
      ])
    #expect(roles.guidanceScale == 6 && roles.shift == 7)
    #expect(
      roles.aliases == [
        "dual": "transformer_blocks", "single": "single_transformer_blocks",
      ])
  }

  @Test("an adapter for another model names the missing input and those that there are")
  func wrongAdapter() throws {
    let graph = try KnownModel("wan").graph
    let error = try #require(throws: AdapterError.self) {
      try InputRoles(try KnownAdapters.named("hunyuan"), of: graph)
    }
    #expect(error.code == "missing-input")
    #expect(error.place == "adapter 'hunyuan'")
    #expect(error.message.contains("no input 'encoder_attention_mask'"))
    for input in ["hidden_states", "timestep", "encoder_hidden_states"] {
      #expect(error.message.contains("'\(input)'"))
    }
    #expect(error.hint?.contains("--role encoder_attention_mask=NAME") == true)
  }

  @Test("a renamed input takes the role, and a wrong new name is reported")
  func renames() throws {
    let graph = try KnownModel("wan").graph.renaming("hidden_states", to: "x")
    let adapter = try KnownAdapters.named("wan")
    let roles = try InputRoles(adapter, of: graph, renames: ["hidden_states": "x"])
    #expect(roles.latents == "x")
    #expect(throws: AdapterError.self) { try InputRoles(adapter, of: graph) }
    let error = try #require(throws: AdapterError.self) {
      try InputRoles(adapter, of: graph, renames: ["hidden_states": "y"])
    }
    #expect(error.message.contains("no input 'y'"))
  }

  @Test("an input with a default need not be fed and takes no role")
  func defaults() throws {
    var graph = try KnownModel("wan").graph
    let timestep = try #require(graph.value(named: "timestep"))
    graph.setInitializer(StoredTensor(Tensor([Float(1)])), of: timestep)
    let error = try #require(throws: AdapterError.self) {
      try InputRoles(try KnownAdapters.named("wan"), of: graph)
    }
    #expect(error.message.contains("no input 'timestep'"))
  }
}
