public import CacheContract

/// What `inspect` says about a form of several files, as JSON of schema 1.
public struct FormReport: Encodable, Sendable {
  /// The version of this layout.
  public let schema = 1
  /// `static` or `split`.
  public let form: String
  /// The file that the original was read from.
  public let original: String
  /// Its SHA-256.
  public let originalDigest: String
  /// The schedule.
  public let schedule: InspectReport.ScheduleReport
  /// The files with what they read and give.
  public let files: [Form.File]
  /// `static`: the file of each step.
  public let steps: [String]?
  /// `split`: what a call runs, in order.
  public let parts: [Form.Part]?

  enum CodingKeys: String, CodingKey {
    case schema, form, original, schedule, files, steps, parts
    case originalDigest = "original_digest"
  }

  /// The report of a folder or its manifest; nil when the path is neither.
  public init?(at path: String) throws {
    guard let manifest = try FormFolder.manifest(at: path), let form = manifest.form else {
      return nil
    }
    self.form = form.kind.rawValue
    original = form.original
    originalDigest = manifest.originalDigest
    schedule = InspectReport.ScheduleReport(
      name: manifest.schedule, steps: manifest.steps, sites: manifest.sites.map(\.name),
      text: form.schedule)
    files = form.graphs
    steps = form.steps
    parts = form.parts
  }

  /// What people read, line by line.
  public var lines: [String] {
    var lines = [
      "form '\(form)' of \(original), SHA-256 \(originalDigest)",
      "cached by schedule '\(schedule.name)' for \(schedule.steps) steps, sites "
        + schedule.sites.joined(separator: ", "),
      "files:",
    ]
    lines += files.map { file in
      let state = file.inputs.count { $0.hasPrefix(ContractNames.prefix) }
      return "  \(file.file)  \(file.inputs.count) inputs, \(state) of them ditcache's; "
        + "\(file.outputs.count) outputs"
    }
    if let steps {
      lines.append("steps:")
      var first = 0
      for step in steps.indices where step + 1 == steps.count || steps[step + 1] != steps[step] {
        lines.append("  \(first == step ? "\(step)" : "\(first)-\(step)")  \(steps[step])")
        first = step + 1
      }
    }
    if let parts {
      lines.append("a call runs:")
      lines += parts.map { part in
        if part.site == nil { return "  \(part.file ?? "nothing")" }
        return "  \(part.compute ?? "nothing") or \(part.reuse ?? "nothing"), as "
          + "\(part.decision ?? "") says"
      }
    }
    return lines
  }
}
