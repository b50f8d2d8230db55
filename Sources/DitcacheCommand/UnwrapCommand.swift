import ArgumentParser
import DiTCache

/// `ditcache unwrap`.
struct UnwrapCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unwrap", abstract: "Restores the original of a cached model.")

  @Argument(help: "A file that `rewrite` wrote.")
  var cached: String

  @Option(name: .shortAndLong, help: ArgumentHelp("The file to write.", valueName: "OUT"))
  var output: String

  @Flag(help: "Prints JSON.")
  var json = false

  @Flag(name: .shortAndLong, help: "Prints results only.")
  var quiet = false

  func run() throws {
    let outcome = try Unwrapping.restore(cached, to: output)
    if json {
      print(try JSONText.of(outcome))
    } else if !quiet {
      print("\(output): \(outcome.outcome) \(outcome.digest)")
    }
  }
}
