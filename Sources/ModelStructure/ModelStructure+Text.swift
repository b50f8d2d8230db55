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
        for module in block.modules {
          lines.append(
            "    \(module.kind.rawValue) \(module.name): \(graph.name(of: module.input)) -> "
              + "\(graph.name(of: module.output)) (stream \(module.stream))")
        }
      }
    }
    for note in notes { lines.append("note: \(note.place): \(note.message)") }
    return lines.joined(separator: "\n") + "\n"
  }
}
