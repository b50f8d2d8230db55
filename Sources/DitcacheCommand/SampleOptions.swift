import ArgumentParser
import DiTCache

/// Options of a run that two models share.
struct ExpertOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A second model of the same architecture that takes over when little noise is left.",
      valueName: "LOW.onnx"))
  var lowNoise: String?

  @Option(
    help: ArgumentHelp(
      "The first model runs at timesteps of at least this part of the greatest (default: 0.875).",
      valueName: "B"))
  var boundary: Double?

  @Option(
    help: ArgumentHelp(
      "Guidance scale of the second model; that of the first when left out.", valueName: "G"))
  var lowNoiseGuidance: Double?

  /// The second model; nil without one.
  func lowNoise(_ options: ModelOptions) throws -> SampleJob.LowNoise? {
    guard let lowNoise else {
      guard boundary == nil, lowNoiseGuidance == nil else {
        throw UsageError(
          "no-second-model", at: boundary == nil ? "--low-noise-guidance" : "--boundary",
          "this says how a second model runs, and there is none",
          hint: "pass --low-noise with an ONNX file")
      }
      return nil
    }
    var expert = SampleJob.LowNoise(try options.load(lowNoise, orForm: true))
    if let boundary { expert.boundary = boundary }
    expert.guidance = lowNoiseGuidance
    return expert
  }
}

/// Options of the model after the transformer.
struct DecoderOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("A model that turns latents into pixels.", valueName: "VAE.onnx"))
  var decoder: String?

  @Option(
    help: ArgumentHelp(
      "What the decoder's latents are multiplied by, one number or one a channel.",
      valueName: "N,…"))
  var latentsStd: String?

  @Option(
    help: ArgumentHelp(
      "What is added to them then, one number or one a channel.", valueName: "N,…"))
  var latentsMean: String?

  /// The decoder; nil without one.
  func load(_ options: ModelOptions, _ threads: ThreadOptions) throws -> LatentDecoder? {
    let scaling = try LatentDecoder.Scaling(mean: latentsMean, deviation: latentsStd)
    guard let decoder else {
      guard latentsMean == nil, latentsStd == nil else {
        throw UsageError(
          "no-decoder", at: latentsStd == nil ? "--latents-mean" : "--latents-std",
          "this scales the latents for a decoder, and there is none",
          hint: "pass --decoder with an ONNX file")
      }
      return nil
    }
    var own = options
    (own.dimensions, own.roles) = ([], [])
    return LatentDecoder(
      try own.load(decoder), scaling: scaling, threads: try threads.count(),
      memory: try threads.byteCount())
  }
}

/// Options of the models before and after the transformer.
struct PipelineOptions: ParsableArguments {
  @OptionGroup var decoding: DecoderOptions

  @Option(
    help: ArgumentHelp(
      "A model that turns the token numbers of --prompt-ids into embeddings.",
      valueName: "TEXT.onnx"))
  var textEncoder: String?

  @Option(
    help: ArgumentHelp(
      "Token numbers by the encoder's inputs, those of the negative prompt as uncond/….",
      valueName: "IDS.npz"))
  var promptIds: String?

  /// Loads the models and gives them to a task.
  func add(to task: inout SampleTask, _ options: ModelOptions, _ threads: ThreadOptions) throws {
    task.decoder = try decoding.load(options, threads)
    var own = options
    (own.dimensions, own.roles) = ([], [])
    let (threads, memory) = (try threads.count(), try threads.byteCount())
    if let textEncoder {
      guard promptIds != nil else {
        throw UsageError(
          "no-prompt-ids", at: "--text-encoder", "the encoder needs token numbers",
          hint: "pass --prompt-ids with an archive of its inputs")
      }
      task.setTextEncoder(
        TextEncoder(try own.load(textEncoder), threads: threads, memory: memory))
    }
  }
}
