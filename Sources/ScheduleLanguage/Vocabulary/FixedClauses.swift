/// The clauses of schedules and adapters, which do not depend on a vocabulary.
public enum FixedClauses {
  /// What stands in a schedule beside `let` and `cache`.
  public static let schedule = [
    ClauseDescriptor(
      keyword: "steps", summary: "How many steps a run has.",
      parameters: [
        ParameterDescriptor(
          "count", .integer(1...Limits.stepCount), unit: "scheduler steps",
          summary: "the length of the run")
      ]),
    ClauseDescriptor(
      keyword: "resample",
      summary: "In a run of another number of steps each listed step takes the nearest place."),
    ClauseDescriptor(
      keyword: "min_steps", summary: "The fewest steps for which the schedule is meant.",
      parameters: [
        ParameterDescriptor(
          "count", .integer(1...Limits.stepCount), unit: "scheduler steps",
          summary: "shorter runs are refused")
      ]),
    ClauseDescriptor(
      keyword: "branches separate",
      summary: "Each branch of guidance decides for itself; the default."),
    ClauseDescriptor(
      keyword: "branches follow cond",
      summary: "The unconditional call computes where the conditional one did."),
    ClauseDescriptor(
      keyword: "branches drop cond",
      summary: "From a step on the unconditional call alone, with the mean of both states.",
      parameters: [
        ParameterDescriptor(
          "step", label: "from", .integer(1...Limits.stepCount), unit: "scheduler steps",
          summary: "the first step of one call")
      ]),
  ]

  /// What stands in an adapter.
  public static let adapter = [
    ClauseDescriptor(
      keyword: "latents", summary: "The input of noisy latents.",
      parameters: [
        input,
        ParameterDescriptor(
          "rank", label: "rank", .integer(0...8), summary: "its number of axes, 0 for any",
          default: .integer(0)),
      ], isRequired: true),
    ClauseDescriptor(
      keyword: "timestep", summary: "The input of the timestep.",
      parameters: [input, multiplier("what a noise level of 1 is as a timestep", default: 1000)],
      isRequired: true),
    ClauseDescriptor(
      keyword: "text", summary: "The inputs of token embeddings of the text.",
      parameters: [inputs]),
    ClauseDescriptor(
      keyword: "mask", summary: "The inputs that say which text tokens count.",
      parameters: [inputs]),
    ClauseDescriptor(
      keyword: "pooled", summary: "The inputs of one embedding per text.", parameters: [inputs]),
    ClauseDescriptor(
      keyword: "prompt_table",
      summary: "The files beside the model that turn words into embeddings.",
      parameters: [
        ParameterDescriptor("name", .name, summary: "NAME of NAME.txt and NAME.npy")
      ]),
    ClauseDescriptor(
      keyword: "extra", summary: "Further inputs that the host must feed.", parameters: [inputs]),
    ClauseDescriptor(
      keyword: "class", summary: "The input of a class number, for models without text.",
      parameters: [
        input,
        ParameterDescriptor(
          "none", label: "none", .integer(0...1_000_000),
          summary: "the class that stands for no class"),
      ]),
    ClauseDescriptor(keyword: "guidance none", summary: "One call a step, no guidance."),
    ClauseDescriptor(
      keyword: "guidance batched",
      summary: "One call a step on a doubled batch, unconditional half first."),
    ClauseDescriptor(
      keyword: "guidance sequential",
      summary: "Two calls a step, each branch with its own state."),
    ClauseDescriptor(
      keyword: "guidance embedded",
      summary: "One call a step; the guidance scale is an input of the model.",
      parameters: [
        ParameterDescriptor("input", label: "in", .name, summary: "the input of the scale"),
        multiplier("what the scale is multiplied by", default: 1),
      ]),
    ClauseDescriptor(
      keyword: "guidance_scale", summary: "The guidance scale that its authors use.",
      parameters: [
        ParameterDescriptor("scale", .number(0...1000), summary: "0 is unconditional")
      ]),
    ClauseDescriptor(
      keyword: "scheduler", summary: "The scheduler that its authors use.",
      parameters: [
        ParameterDescriptor(
          "name", .word(["euler", "unipc", "ddim", "other"]),
          summary: "euler and unipc are flow matching; other is one that is not built in")
      ]),
    ClauseDescriptor(
      keyword: "shift", summary: "The shift of the flow-matching noise levels.",
      parameters: [
        ParameterDescriptor("shift", .number(0.01...100), summary: "1 leaves them as they are")
      ]),
    ClauseDescriptor(
      keyword: "steps", summary: "The number of steps that its authors use.",
      parameters: [
        ParameterDescriptor(
          "count", .integer(1...Limits.stepCount), unit: "scheduler steps",
          summary: "the length of a run")
      ]),
    ClauseDescriptor(
      keyword: "alias", summary: "Another name of a block family.",
      parameters: [
        ParameterDescriptor("alias", .name, summary: "the name for schedules"),
        ParameterDescriptor("family", .name, summary: "the family as the model names it"),
      ], isRepeatable: true),
    ClauseDescriptor(
      keyword: "families", summary: "The block families by which a model is recognised.",
      parameters: [ParameterDescriptor("families", .names, summary: "names as in the model")]),
  ]

  private static let input = ParameterDescriptor("input", .name, summary: "a graph input")
  private static let inputs = ParameterDescriptor("inputs", .names, summary: "graph inputs")

  private static func multiplier(_ summary: String, default value: Double) -> ParameterDescriptor {
    ParameterDescriptor(
      "multiplier", label: "times", .number(0.000001...1_000_000), summary: summary,
      default: .number(value))
  }
}
