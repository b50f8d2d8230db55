import ArgumentParser
import DiTCache

/// The `ditcache` command.
@main
struct Ditcache: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ditcache",
    abstract: "Makes exported Diffusion Transformers faster by caching blocks.",
    discussion: """
      Exit status: 0 done, 1 a check failed, 2 bad model or tensor file, 3 bad schedule or \
      adapter, 4 unsupported, 5 over a limit, 6 input or output failed, 64 usage, 70 internal fault.
      """,
    version: ToolDescription.version,
    subcommands: [
      InspectCommand.self, RewriteCommand.self, UnwrapCommand.self, RunCommand.self,
      SampleCommand.self, BenchCommand.self, ProfileCommand.self, EvaluateCommand.self,
      TuneCommand.self,
      ScheduleCommand.self,
    ])

  static func main() {
    StandardStreams.prepare()
    do {
      var command = try parseAsRoot()
      try command.run()
      try StandardStreams.finish()
    } catch {
      let isOwn = !(error is ExitCode) && !(error is CleanExit) && !isParserError(error)
      guard isOwn else { exit(withError: error) }
      Terminal.write(ExitStatus.text(for: error) + "\n")
      exit(withError: ExitCode(ExitStatus(error).rawValue))
    }
  }

  /// True for errors that ArgumentParser made and knows how to print.
  private static func isParserError(_ error: any Error) -> Bool {
    ExitStatus(error) == .internalFault
  }
}
