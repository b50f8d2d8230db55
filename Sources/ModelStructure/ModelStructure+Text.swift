public import GraphIR

extension ModelStructure {
  /// The structure as stable text, one line a block.
  public func text(in graph: Graph) -> String {
    var lines: [String] = []
    for (title, group) in [("blocks", blocks), ("refiners", refiners), ("control", control)]
    where !group.isEmpty {
      lines.append("\(title):")
      for block in group {
        lines.append("  \(block.name)")
        for stream in block.streams {
          let arrow = stream.hasEnd ? "-> \(graph.name(of: stream.output))" : "ends here"
          lines.append("    stream \(graph.name(of: stream.input)) \(arrow)")
        }
        for module in block.modules { lines.append("    " + module.text(in: graph)) }
      }
    }
    for note in notes { lines.append("note: \(note.place): \(note.message)") }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension Module {
  /// `mlp ffn: x -> y (stream 0) reads norm(x), gate g`.
  fileprivate func text(in graph: Graph) -> String {
    var text =
      "\(kind.rawValue) \(name): \(graph.name(of: input)) -> \(graph.name(of: output)) "
      + "(stream \(stream))"
    if let modulatedInput { text += " reads \(graph.name(of: modulatedInput))" }
    text += " adds \(graph.name(of: branch))"
    if let gate { text += " gated by \(graph.name(of: gate))" }
    return text
  }
}
