import ArgumentParser
import DiTCache

/// `ditcache inspect`.
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Shows inputs, blocks, modules, operators and FLOPs of a model.")

  @Argument(help: "An ONNX file, or the folder of a form.")
  var model: String

  @Flag(help: "Prints the whole graph as text.")
  var text = false

  @OptionGroup var options: ModelOptions

  func run() throws {
    if let form = try FormReport(at: model) {
      if options.json {
        print(try JSONText.of(form))
      } else {
        for line in form.lines { print(line) }
      }
      return
    }
    let model = try options.load(model)
    if text {
      print(model.graphText(), terminator: "")
      return
    }
    let report = try InspectReport(model)
    if options.json {
      print(try JSONText.of(report))
      return
    }
    print("\(model.path): \(model.summary)")
    ports("inputs", report.inputs)
    ports("outputs", report.outputs)
    blocks("blocks", report.blocks)
    blocks("refiners", report.refiners)
    blocks("control", report.control)
    let counts = report.operators.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    let listed = counts.prefix(options.verbose ? .max : 8).map { "\($0.key) \($0.value)" }
    print(
      "operators: " + listed.joined(separator: ", ") + (counts.count > listed.count ? ", …" : ""))
    print(
      "FLOPs of one call: "
        + (report.flops.map { Terminal.scaled($0, unit: "FLOP") }
          ?? "unknown; fix free dimensions with --dim"))
    for note in report.notes { print("note: \(note)") }
    fitness(report)
    if let schedule = report.schedule {
      print("cached by schedule '\(schedule.name)' for \(schedule.steps) steps:")
      print(Terminal.table(schedule.sites.map { [$0] }))
    }
  }

  /// What is free but not independent, what is wrong with the file, and what each runtime would need.
  private func fitness(_ report: InspectReport) {
    for constraint in report.constraints.prefix(options.verbose ? .max : 4) {
      print("must be equal: \(constraint)")
    }
    for defect in report.defects {
      print(
        "\(defect.repaired ? "repaired" : "warning"): \(defect.rule) at \(defect.place): "
          + defect.message)
    }
    if !report.absentWeights.isEmpty {
      print("absent weights: " + report.absentWeights.joined(separator: ", "))
    }
    guard !report.targets.isEmpty else { return }
    print("runtimes:")
    print(
      Terminal.table(
        report.targets.sorted { $0.key < $1.key }.map { target, needs in
          [
            target,
            needs.isEmpty
              ? "takes it as it is"
              : "rewrite --target changes " + needs.map(\.text).joined(separator: "; "),
          ]
        }))
  }

  private func ports(_ title: String, _ ports: [InspectReport.PortReport]) {
    print("\(title):")
    print(
      Terminal.table(ports.map { [$0.name, "\($0.dtype)[\($0.shape.joined(separator: ", "))]"] }))
  }

  private func blocks(_ title: String, _ blocks: [InspectReport.BlockReport]) {
    guard !blocks.isEmpty else { return }
    print("\(title):")
    var rows: [[String]] = []
    var previous = ""
    for block in blocks {
      let modules = block.modules.map { "\($0.kind) \($0.name)" }.joined(separator: ", ")
      let streams = block.streams == 1 ? "1 stream" : "\(block.streams) streams"
      let facts = "\(block.family) \(streams) \(modules)"
      if facts == previous, let last = rows.indices.last {
        let first = rows[last][0].split(separator: "-").first.map(String.init) ?? rows[last][0]
        rows[last][0] = "\(first)-\(block.index)"
      } else {
        rows.append([block.name, streams, modules])
      }
      previous = facts
    }
    print(Terminal.table(rows))
  }
}
