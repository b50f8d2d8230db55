import ArgumentParser
import DiTCache

/// Options of every command that opens a model.
struct ModelOptions: ParsableArguments {
  @Option(
    name: .customLong("dim"),
    help: ArgumentHelp(
      "Fixes a free dimension, by symbol or as input.axis; may be repeated.", valueName: "NAME=N"))
  var dimensions: [String] = []

  @Option(
    name: .customLong("role"),
    help: ArgumentHelp(
      "The model's own name for a role (latents, timestep, text, mask, pooled, guidance, extra) or "
        + "for an adapter's input; may be repeated.", valueName: "ROLE=NAME"))
  var roles: [String] = []

  @Option(
    help: ArgumentHelp(
      "Fills weights whose file is absent with random numbers, for timing.", valueName: "SEED"))
  var randomWeights: UInt64?

  @Flag(help: "Accepts external data files with several names (hard links).")
  var allowHardLinks = false

  @Flag(help: "Maps external data instead of reading it; the files must not change meanwhile.")
  var mmap = false

  @Flag(help: "Prints JSON.")
  var json = false

  @Flag(name: .shortAndLong, help: "Prints less: no progress and no summary.")
  var quiet = false

  @Flag(name: .shortAndLong, help: "Says more about what was done.")
  var verbose = false

  /// Opens a model with these options and says what stands in for its weights.
  ///
  /// With `orForm` it may be the folder of a form of several files.
  func load(_ path: String, orForm takesForm: Bool = false) throws -> LoadedModel {
    let limits = ToolDescription.limits(allowingHardLinks: allowHardLinks, mapping: mmap)
    let form =
      try takesForm
      ? LoadedModel(
        formAt: path, roles: try parsedRoles(), randomWeightSeed: randomWeights, limits: limits)
      : nil
    if form != nil, let dimension = dimensions.first {
      throw UsageError(
        "dimension-of-form", at: "--dim \(dimension)",
        "the sizes of a form of several files follow from what is fed", hint: "leave --dim out")
    }
    let model =
      try form
      ?? LoadedModel(
        path, dimensions: try parsedDimensions(), roles: try parsedRoles(),
        randomWeightSeed: randomWeights, limits: limits)
    if let randomWeights, !quiet {
      for file in model.absentWeights {
        Terminal.printWarning(
          "the weights '\(file)' are absent, random numbers of seed \(randomWeights) stand in")
      }
    }
    return model
  }

  private func parsedRoles() throws -> [String: String] {
    var result: [String: String] = [:]
    for text in roles {
      let (name, value) = try KeyValue.split(text, option: "--role")
      result[name] = value
    }
    return result
  }

  private func parsedDimensions() throws -> [String: Int] {
    var result: [String: Int] = [:]
    for text in dimensions {
      let (name, value) = try KeyValue.split(text, option: "--dim")
      guard let number = Int(value), number > 0 else {
        throw UsageError("bad-dimension", at: "--dim \(text)", "a positive number was expected")
      }
      guard result[name] == nil else {
        throw UsageError("bad-dimension", at: "--dim \(text)", "'\(name)' is given twice")
      }
      result[name] = number
    }
    return result
  }
}

/// `NAME=VALUE` arguments.
enum KeyValue {
  static func split(_ text: String, option: String) throws -> (name: String, value: String) {
    guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
      throw UsageError("bad-argument", at: "\(option) \(text)", "NAME=VALUE was expected")
    }
    return (String(text[..<equals]), String(text[text.index(after: equals)...]))
  }
}

/// What a computation may use.
struct ThreadOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Threads to compute with.", valueName: "N"))
  var threads: Int?

  @Option(
    help: ArgumentHelp(
      "Bytes that results may take, such as 500M or 8G; weights are not counted.",
      valueName: "BYTES"))
  var memory: String?

  @Flag(help: "Runs every operator by itself.")
  var noFusions = false

  @Flag(help: "Rounds the factors of products with weights to bfloat16 where the CPU can.")
  var bf16 = false

  @Option(
    help: ArgumentHelp(
      "Kernels of float32 products: own, openblas, or the faster as measured at start.",
      valueName: "KERNELS"))
  var products = "measured"

  /// What engines are told besides threads and memory.
  func style() throws -> ComputeStyle {
    try ComputeStyle(fuses: !noFusions, isBFloat16: bf16, products: products)
  }

  /// The bytes of `--memory`, nil without it.
  func byteCount() throws -> Int? {
    guard let memory else { return nil }
    let shifts = ["K": 10, "M": 20, "G": 30, "T": 40]
    let shift = memory.last.flatMap { shifts[$0.uppercased()] } ?? 0
    let digits = shift == 0 ? Substring(memory) : memory.dropLast()
    guard let number = Int(digits), number > 0, number <= Int.max >> shift else {
      throw UsageError(
        "bad-memory", at: "--memory \(memory)", "a number of bytes was expected",
        hint: "such as 500M or 8G")
    }
    return number << shift
  }

  func count() throws -> Int {
    guard let threads else { return ToolDescription.availableThreads }
    guard (1...1024).contains(threads) else {
      throw UsageError("bad-threads", at: "--threads", "1 to 1024 threads, not \(threads)")
    }
    return threads
  }
}
