import ArgumentParser
import DiTCache

/// `ditcache schedule`.
struct ScheduleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schedule", abstract: "Checks, formats, explains and lists schedules.",
    subcommands: [Check.self, Format.self, Explain.self, List.self])

  /// `ditcache schedule check`.
  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Checks schedule and adapter files.")

    @Argument(help: "Files, or names of the catalogue.")
    var files: [String]

    func run() throws {
      for file in files {
        let result = try ScheduleTexts.check(file)
        for warning in result.warnings { Terminal.write(warning + "\n") }
        print("\(file): \(result.summary)")
      }
    }
  }

  /// `ditcache schedule format`.
  struct Format: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Prints files in canonical form, or writes them back.")

    @Argument(help: "Files, or names of the catalogue.")
    var files: [String]

    @Flag(help: "Writes the files back.")
    var inPlace = false

    func run() throws {
      for file in files {
        let text = try ScheduleTexts.formatted(file)
        if inPlace {
          try ScheduleTexts.replace(file, with: text)
        } else {
          print(text, terminator: "")
        }
      }
    }
  }

  /// `ditcache schedule explain`.
  struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Draws which blocks are computed at which steps.")

    @Argument(help: "A file, or a name of the catalogue.")
    var file: String

    @Option(help: ArgumentHelp("Scheduler steps.", valueName: "N"))
    var steps: Int?

    @Option(help: ArgumentHelp("Blocks of a model with one family.", valueName: "N"))
    var blocks: Int?

    @Option(help: ArgumentHelp("A model to take the blocks from.", valueName: "MODEL"))
    var model: String?

    @Option(help: ArgumentHelp("A preset of the schedule.", valueName: "NAME"))
    var preset: String?

    @Option(
      help: ArgumentHelp(
        "Noise levels of the run: decisions by them are drawn.", valueName: "X.npz"))
    var levels: String?

    @Option(
      help: ArgumentHelp(
        "A run that sample recorded: what it decided and why.", valueName: "R.npz"))
    var record: String?

    func run() throws {
      var subject = ScheduleTexts.Subject()
      subject.steps = steps
      subject.blockCount = blocks
      subject.modelPath = model
      subject.preset = preset
      subject.levelsPath = levels
      subject.recordPath = record
      print(try ScheduleTexts.explanation(file, of: subject), terminator: "")
    }
  }

  /// `ditcache schedule list`.
  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lists the schedules and adapters that ship with the tool.")

    func run() {
      let rows = ScheduleLibrary.catalogue.map { [$0.kind, $0.name, $0.summary] }
      print(Terminal.table(rows, indent: ""))
    }
  }
}
